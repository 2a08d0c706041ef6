"""The audit of a directory that a plan has made, read from a real slapd as the auditor."""

from datetime import UTC, datetime

import ldap3
import pytest
from local_directory import BASE, DOMAIN, NAME

from compliance.checks import b4, w1
from compliance.checks.model import Status
from compliance.directory.ldap import connect
from compliance.probes import ldap, plan
from compliance.probes.facts import Facts

GROUP = f"cn=unit.ks.writer,ou=groups,{BASE}"


@pytest.fixture
def audit(directory):
    """Read the facts anew, and judge them by one control."""

    def run(check):
        at = datetime.now(UTC)
        planned = plan.read(directory, directory.sources, DOMAIN)
        read = ldap.read(directory)
        return check.judge(Facts("run", NAME, DOMAIN, at, at, read, planned))

    return run


@pytest.mark.parametrize("check", [w1, b4])
def test_what_a_plan_makes_passes(audit, check):
    result = audit(check)
    assert result.status is Status.PASS, [finding.message.en for finding in result.findings]
    assert result.population


def test_a_watcher_whom_a_hand_took_the_right_from_is_named(audit, directory):
    with connect(directory, "writer") as connection:
        watcher = f"uid=1,ou=people,{BASE}"
        connection.modify(GROUP, {"member": [(ldap3.MODIFY_DELETE, [watcher])]})
    result = audit(w1)
    assert result.status is Status.FAIL
    assert [finding.subject for finding in result.findings] == [f"kommunstyrelsen@{DOMAIN}"]


def test_an_address_that_a_hand_gave_to_somebody_else_is_named(audit, directory):
    """The one who had it no longer delivers there, so slapd itself sees nothing wrong."""
    asa, new = f"asa.oberg@{DOMAIN}", f"nagon.annan@{DOMAIN}"
    replace = ldap3.MODIFY_REPLACE
    with connect(directory, "writer") as connection:
        for person, address in (("1", new), ("2", asa)):
            change = {name: [(replace, [address])] for name in ("mail", "kommunpostAddress")}
            connection.modify(f"uid={person},ou=people,{BASE}", change)
    result = audit(b4)
    assert result.status is Status.FAIL
    told = [f"{finding.subject}: {finding.message.en}" for finding in result.findings]
    assert any(line.startswith(asa) and "belongs to somebody else" in line for line in told)
    assert any(line.startswith(new) and "not in the register" in line for line in told)
