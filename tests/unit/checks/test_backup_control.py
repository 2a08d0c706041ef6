"""T1 passes on a fresh copy that was tried, and names each host that lacks one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from audit_town import AT, seen, told

from compliance.checks import t1
from compliance.checks.model import Status
from compliance.probes import facts as f


def host(facts: f.Facts, **change: object) -> f.Facts:
    first, second = facts.backups
    return replace(facts, backups=(first, replace(second, **change)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"set_up": False}, "säkerhetskopieras inte"),
        ({"copied": None}, "ingen säkerhetskopia"),
        ({"copied": AT - timedelta(hours=26, minutes=1)}, "för gammal"),
        ({"tried": None}, "aldrig prövats"),
        ({"tried": AT - timedelta(days=8, minutes=1)}, "för länge sedan"),
        ({"trial_error": "the copy has 3 entries, the log has 4"}, "3 entries"),
    ],
    ids=["not set up", "no copy", "old copy", "untried", "tried long ago", "trial failed"],
)
def test_t1_names_the_host_whose_copies_cannot_be_relied_on(facts, change, says):
    result = t1.judge(host(facts, **change))
    assert result.status is Status.FAIL
    assert [finding.subject for finding in result.findings] == ["mx2"]
    assert says in told(result)


def test_t1_holds_up_to_its_limits(facts):
    just = {"copied": AT - timedelta(hours=26), "tried": AT - timedelta(days=8)}
    assert t1.judge(host(facts, **just)).status is Status.PASS


def test_t1_does_not_pass_on_a_host_that_does_not_tell(facts):
    silent = f.BackupFacts("mx2", seen("kommunpost backup state", "mx2", "no route to host"))
    result = t1.judge(replace(facts, backups=(facts.backups[0], silent)))
    assert (result.status, result.measured, result.population) == (Status.UNKNOWN, 1, 2)
    assert "no route to host" in told(result)
