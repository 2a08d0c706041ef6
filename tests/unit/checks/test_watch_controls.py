"""W1 and W2: whose mailboxes are watched by whom, and how long mail lies unread."""

from dataclasses import replace
from datetime import timedelta

import pytest
from audit_town import AT, DOMAIN, address_of, dn, person, told

from compliance.checks import w1, w2
from compliance.checks.model import Status
from compliance.probes import facts as f


def unit(facts: f.Facts, name: str, **change: object) -> f.Facts:
    units = tuple(
        replace(item, **change) if item.id == name else item for item in facts.directory.units
    )
    return replace(facts, directory=replace(facts.directory, units=units))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"watchers": ()}, "Planavdelningen har ingen bevakningsansvarig"),
        ({"deputies": ()}, "Planavdelningen har ingen ersättare"),
        ({"watchers": (dn("99"),)}, "Planavdelningen: 99 är bevakningsansvarig men"),
        ({"deputies": (dn("10001"),)}, "samma person"),
    ],
)
def test_w1_names_the_mailbox_that_nobody_watches(facts, change, words):
    result = w1.judge(unit(facts, "plan", **change))
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.subject, finding.unit) == (f"plan@{DOMAIN}", "plan")
    assert words in finding.message.sv
    assert "1 av 7 funktionsbrevlådor" in result.summary.sv


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_w1_finds_the_watcher_and_the_holder_who_left(facts, status):
    gone = f.Mailbox(address_of("10003"), "individual", status)
    result = w1.judge(person(facts, "10003", mailbox=gone))
    assert result.status is Status.FAIL
    assert len(result.findings) == 6, "deputy of every unit"
    assert "Referens 10003 är ersättare" in told(result)
    assert address_of("10003") not in told(result)
    holder = w1.judge(person(facts, "10005", mailbox=None))
    assert [item.subject for item in holder.findings] == [f"kommunalrad@{DOMAIN}"]


def test_w1_remarks_on_a_vacant_post(facts):
    (post,) = facts.directory.positions
    vacant = replace(facts.directory, positions=(replace(post, occupants=()),))
    result = w1.judge(replace(facts, directory=vacant))
    assert result.status is Status.WARNING
    assert "vakant" in told(result)


def test_w1_minds_only_mailboxes_in_use(facts):
    closed = f.Mailbox(f"plan@{DOMAIN}", "function", "closed")
    result = w1.judge(unit(facts, "plan", watchers=(), mailbox=closed))
    assert (result.status, result.population) == (Status.PASS, 6)


def test_w1_is_unknown_for_facts_from_before_watchers_were_asked_for(facts):
    result = w1.judge(unit(facts, "plan", watchers=None, deputies=None))
    assert result.status is Status.UNKNOWN
    assert (result.population, result.measured) == (7, 6)


def group(facts: f.Facts, holder: str, **change: object) -> f.Facts:
    groups = tuple(
        replace(item, **change) if item.holder == holder else item
        for item in facts.directory.groups
    )
    return replace(facts, directory=replace(facts.directory, groups=groups))


@pytest.mark.parametrize("change", [{"members": (dn("10003"),)}, {"right": "sender"}])
def test_w1_names_the_watcher_who_may_not_read_the_mailbox(facts, change):
    result = w1.judge(group(facts, "unit:plan", **change))
    assert result.status is Status.FAIL
    assert {item.subject for item in result.findings} == {f"plan@{DOMAIN}"}
    assert "Åsa Öberg är bevakningsansvarig men får inte läsa" in told(result)
    holder = w1.judge(group(facts, "position:kommunalrad", members=()))
    assert "Märta Dahl är innehavare men får inte läsa" in told(holder)


def test_w1_takes_a_reader_for_a_reader_however_the_name_is_written(facts):
    members = (dn("10001").upper(), dn("10003").replace(",", ", "))
    result = w1.judge(group(facts, "unit:plan", right="reader", members=members))
    assert result.status is Status.PASS


def test_w1_is_unknown_for_facts_from_before_groups_were_asked_for(facts):
    result = w1.judge(replace(facts, directory=replace(facts.directory, groups=None)))
    assert result.status is Status.UNKNOWN


def unread(facts: f.Facts, name: str, days: int) -> f.Facts:
    """Let a mailbox's oldest unread message be so many days old."""
    oldest = tuple(
        replace(item, arrived=AT - timedelta(days=days)) if item.address == name else item
        for item in facts.unread.oldest
    )
    return replace(facts, unread=replace(facts.unread, oldest=oldest))


def test_w2_names_the_mailbox_that_was_not_read_for_a_whole_working_day(facts):
    """Looked at on a Tuesday: what came on Friday has lain over one working day, Monday."""
    result = w2.judge(unread(facts, f"plan@{DOMAIN}", days=4))
    assert result.status is Status.FAIL
    (finding,) = result.findings
    assert (finding.subject, finding.unit) == (f"plan@{DOMAIN}", "plan")
    assert "kom den 20 november 2026" in finding.message.sv
    assert "sedan dess: 1" in finding.message.sv
    assert "1 av 7 funktionsbrevlådor" in result.summary.sv


@pytest.mark.parametrize("days", [0, 1])
def test_w2_gives_the_day_of_arrival_and_the_next(facts, days):
    assert w2.judge(unread(facts, f"plan@{DOMAIN}", days=days)).status is Status.PASS


def test_w2_does_not_count_the_weekend(facts):
    """The same letter of Friday, looked at on Monday."""
    monday = replace(facts.unread.seen, at=AT - timedelta(days=1))
    friday = unread(facts, f"plan@{DOMAIN}", days=4)
    looked = replace(friday, unread=replace(friday.unread, seen=monday))
    assert w2.judge(looked).status is Status.PASS


def test_w2_finds_the_unit_whose_deputy_is_missing_or_has_left(facts):
    assert "Planavdelningen har ingen ersättare" in told(w2.judge(unit(facts, "plan", deputies=())))
    result = w2.judge(person(facts, "10003", mailbox=None))
    assert result.status is Status.FAIL
    assert len(result.findings) == 6, "deputy of every unit"


def test_w2_says_which_mailbox_nobody_looked_into_and_passes_nothing_then(facts):
    some = replace(facts.unread, oldest=facts.unread.oldest[:-1])
    result = w2.judge(replace(facts, unread=some))
    assert (result.status, result.population, result.measured) == (Status.UNKNOWN, 7, 6)
    assert "Kommunalråd" in told(result)
    silent = replace(facts.unread, seen=replace(facts.unread.seen, error="exit 1"), oldest=())
    result = w2.judge(replace(facts, unread=silent))
    assert (result.status, result.measured) == (Status.UNKNOWN, 0)
    assert "exit 1" in told(result)


def test_w2_never_names_a_person(facts):
    broken = unread(unit(facts, "plan", deputies=()), f"ks@{DOMAIN}", days=30)
    result = w2.judge(broken)
    words = told(result) + " ".join(text.sv for text in result.evidence)
    assert not [one.name for one in facts.directory.people if one.name in words]
