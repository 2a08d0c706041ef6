"""From the first day to the last: who is in service, and what becomes of the mailbox."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.directory.model import Conflict, Notice, Organisation, Person, Status
from compliance.directory.plan import Action, MailboxPlan, closing_plan, make_plan
from compliance.directory.tree import Entry, Held
from compliance.errors import UserError

from .conftest import ANSWER_DAYS, BASE, DOMAIN, TODAY, applied, person

DAY = timedelta(days=1)
TWO = "uid=2,ou=people"


def _with(organisation: Organisation, number: str, **changes: object) -> Organisation:
    people = tuple(
        replace(one, **changes) if one.id == number else one  # type: ignore[arg-type]
        for one in organisation.people
    )
    return replace(organisation, people=people)


def _without(organisation: Organisation, number: str) -> Organisation:
    people = tuple(one for one in organisation.people if one.id != number)
    return replace(organisation, people=people)


def _of(plan: MailboxPlan, holder: str) -> tuple[Action, str]:
    change = next(c for c in plan.changes if c.mailbox.holder == holder)
    return change.action, change.reason


def _state(held: Held, rdn: str = TWO) -> tuple[str, str]:
    entry = held.entries[rdn]
    return entry.first("kommunpostStatus"), entry.first("kommunpostClosesOn")


def test_leaving_stops_the_login_at_once_and_closes_after_the_set_time(organisation, settle):
    _, held = settle(organisation)
    gone = _without(organisation, "2")
    plan, held = settle(gone, held)
    assert _of(plan, "person:2") == (
        Action.SUSPEND,
        "has left: no login, the mailbox closes on 2027-02-22",
    )
    assert _state(held) == ("suspended", "20270222000000Z")
    assert settle(gone, held, TODAY + 89 * DAY)[0].is_empty, "the day does not move"
    plan, held = settle(gone, held, TODAY + 90 * DAY)
    assert _of(plan, "person:2") == (Action.CLOSE, "has left, and the set time is over")
    assert _state(held) == ("closed", "")
    assert settle(gone, held, TODAY + 900 * DAY)[0].is_empty


def test_the_time_counts_from_the_last_day_that_the_sources_tell(organisation, settle):
    _, held = settle(organisation)
    leaving = _with(organisation, "2", ends=TODAY)
    assert settle(leaving, held)[0].is_empty, "the last day is a day in service"
    plan, held = settle(leaving, held, TODAY + 10 * DAY)
    assert _of(plan, "person:2")[0] is Action.SUSPEND
    assert _state(held)[1].startswith(f"{TODAY + ANSWER_DAYS * DAY:%Y%m%d}")
    long_gone, _ = settle(leaving, settle(organisation)[1], TODAY + 400 * DAY)
    assert _of(long_gone, "person:2")[0] is Action.CLOSE


def test_without_a_set_time_the_mailbox_closes_at_once(organisation, settle):
    _, held = settle(organisation)
    plan = make_plan(_without(organisation, "2"), DOMAIN, BASE, held, TODAY, 0)
    assert _of(plan, "person:2") == (Action.CLOSE, "no longer in the sources")


def test_a_unit_or_position_that_is_no_more_closes_at_once(organisation, settle):
    _, held = settle(organisation)
    fewer = replace(organisation, positions=())
    assert _of(settle(fewer, held)[0], "position:kommunalrad")[0] is Action.CLOSE


def test_the_limit_counts_who_leaves_but_not_whose_time_is_over(organisation, settle):
    _, held = settle(organisation)
    gone = _without(organisation, "2")
    plan, held = settle(gone, held)
    assert plan.leaving == 1
    with pytest.raises(UserError, match="would close 1 of 15"):
        plan.refuse_mass_closing(5)
    assert settle(gone, held, TODAY + 90 * DAY)[0].leaving == 0
    suspended = _with(organisation, "2", status=Status.SUSPENDED)
    assert settle(suspended, settle(organisation)[1])[0].leaving == 0


def test_without_sources_what_is_due_closes_and_nothing_else_changes(organisation, settle):
    _, held = settle(_without(organisation, "2"), settle(organisation)[1])
    assert closing_plan(held, TODAY + 89 * DAY).is_empty
    plan = closing_plan(held, TODAY + 90 * DAY)
    assert [(c.action, c.mailbox.holder) for c in plan.changes] == [(Action.CLOSE, "person:2")]
    assert plan.leaving == 0
    assert _state(applied(plan, held)) == ("closed", "")
    assert closing_plan(applied(plan, held), TODAY + 900 * DAY).is_empty


def test_what_closes_without_sources_tells_where_to_write_as_it_does_with_them(
    organisation, settle
):
    gone = _without(organisation, "2")
    _, held = settle(gone, settle(organisation)[1])
    closed = applied(closing_plan(held, TODAY + 90 * DAY), held)
    assert closed.entries[TWO].first("kommunpostInstead") == f"kommunstyrelsekontoret@{DOMAIN}"
    with_sources, _ = settle(gone, closed, TODAY + 90 * DAY)
    assert {change.action for change in with_sources.changes} == {Action.KEEP}


@pytest.mark.parametrize("after", [1, 89, 200])
def test_whoever_returns_gets_the_same_address_back(organisation, settle, after):
    _, held = settle(organisation)
    address = held.entries[TWO].address
    gone = _without(organisation, "2")
    for day in (TODAY, TODAY + after * DAY):
        _, held = settle(gone, held, day)
    plan, held = settle(organisation, held, TODAY + (after + 1) * DAY)
    assert _of(plan, "person:2")[1].startswith("active again after")
    assert _state(held) == ("active", "")
    assert held.entries[TWO].address == address
    assert settle(organisation, held, TODAY + (after + 1) * DAY)[0].is_empty


def test_nobody_has_a_mailbox_before_the_first_day(organisation, settle):
    newcomer = replace(person(9, "Dag", "Dal"), starts=TODAY + 7 * DAY)
    pc = replace(organisation.pcs[2], owners=("9",))
    soon = replace(
        organisation, people=(*organisation.people, newcomer), pcs=(*organisation.pcs[:2], pc)
    )
    plan, held = settle(soon)
    assert "uid=9,ou=people" not in held.entries
    assert "owner" not in held.entries["cn=pc3,ou=devices"].attributes
    assert all(notice.conflict is Conflict.PC_WITHOUT_OWNER for notice in plan.notices)
    plan, held = settle(soon, held, TODAY + 7 * DAY)
    assert _of(plan, "person:9")[0] is Action.CREATE
    assert held.entries["cn=pc3,ou=devices"].first("owner").startswith("uid=9,")


def test_on_leave_the_mailbox_works_and_the_deputy_sees_it(organisation, settle):
    _, held = settle(organisation)
    away = _with(organisation, "1", status=Status.ON_LEAVE, deputy="2")
    plan, held = settle(away, held)
    assert _of(plan, "person:1") == (Action.UPDATE, "on leave: 2 sees the mailbox")
    entry = held.entries["uid=1,ou=people"]
    assert entry.first("kommunpostStatus") == "active"
    assert entry.first("kommunpostDeputy") == f"uid=2,ou=people,{BASE}"
    plan, held = settle(organisation, held)
    assert _of(plan, "person:1") == (Action.UPDATE, "nobody else sees the mailbox now")
    assert "kommunpostDeputy" not in held.entries["uid=1,ou=people"].attributes


def test_leave_without_anybody_who_sees_the_mailbox_is_told(organisation, settle):
    _, held = settle(organisation)
    alone = _with(organisation, "1", status=Status.ON_LEAVE)
    assert Notice(Conflict.LEAVE_WITHOUT_DEPUTY, "person 1") in settle(alone, held)[0].notices
    away = _with(organisation, "1", status=Status.ON_LEAVE, deputy="2")
    left = _with(away, "2", ends=TODAY - DAY)
    notice = Notice(Conflict.LEAVE_WITHOUT_DEPUTY, "person 1: deputy during leave 2")
    assert notice in settle(left, held)[0].notices


def test_whoever_left_by_the_sources_own_word_is_told_where_they_are_named(organisation, settle):
    """No directory is needed to know it: `check` tells it too."""
    plan, _ = settle(_with(organisation, "2", ends=TODAY - DAY))
    assert {notice.subject for notice in plan.notices} == {
        "PC PC2: 2", "PC PC3", "unit ks: deputy 2", "unit ksk: deputy 2"}  # fmt: skip


TERMS = """\
id;given_name;surname;kind;unit;starts;ends
1;Åsa;Öberg;employee;ksk;;
2;Bo;Ek;employee;ksk;;
3;Cecilia;Alm;elected;ks;2022-10-15;2026-10-14
3;Cecilia;Alm;elected;ksk;2026-10-15;2030-10-14
4;Dag;Dal;elected;ks;2022-10-15;2026-10-14
"""


def test_elected_members_go_from_term_to_term(files, settle):
    files.write(people=TERMS)
    first, last = date(2026, 10, 14), date(2026, 10, 15)
    plan, held = settle(files.read(), None, first)
    assert {c.mailbox.holder for c in plan.changes} >= {"person:3", "person:4"}
    plan, held = settle(files.read(), held, last)
    assert _of(plan, "person:3") == (Action.MOVE, "the unit changed: ksk instead of ks")
    assert _of(plan, "person:4")[0] is Action.SUSPEND
    assert _state(held, "uid=4,ou=people")[1] == "20270112000000Z"


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (TERMS.replace("2026-10-15;2030", "2026-10-14;2030"), "the person 3 stands twice"),
        (TERMS.replace("2022-10-15;2026-10-14\n3", ";\n3"), "the person 3 stands twice"),
        (TERMS.replace("2030-10-14", "2026-10-01"), "column ends: 2026-10-01 is before 2026-10-15"),
        (TERMS.replace("2030-10-14", "14/10 2030"), "column ends: '14/10 2030' is no day"),
        (TERMS.replace("2030-10-14", "20301014"), "column ends: '20301014' is no day"),
        (TERMS.replace("2022-10-15", "2022-02-30"), "column starts: '2022-02-30' is no day"),
    ],
)
def test_times_that_cannot_be_are_told(files, people, told):
    files.write(people=people)
    with pytest.raises(UserError, match=told.replace("?", ".")):
        files.read()


def test_leave_stands_in_the_list_of_people(files):
    heading = "id;given_name;surname;kind;unit;status;deputy\n"
    rows = "1;Åsa;Öberg;employee;ksk;on_leave;2\n2;Bo;Ek;employee;ksk;;\n3;C;Alm;elected;ks;;\n"
    files.write(people=heading + rows)
    one = files.read().people[0]
    assert (one.status, one.deputy) == (Status.ON_LEAVE, "2")
    files.write(people=heading + rows.replace("on_leave;2", "on_leave;8"))
    with pytest.raises(UserError, match="deputy during leave: there is no person 8"):
        files.read()


def test_every_address_ever_had_keeps_delivering_through_every_change(files, settle):
    """Marriage, a move, leave, leaving and return."""
    found = files.read()
    _, held = settle(found)
    for change in ({"surname": "Alm"}, {"unit": "ks"}, {"surname": "Bo-Alm"}):
        found = _with(found, "2", **change)
        _, held = settle(found, held)
    _, held = settle(_without(found, "2"), held)
    _, held = settle(found, held)
    assert held.entries[TWO].attributes["kommunpostAddress"] == tuple(
        sorted(f"bo.{name}@{DOMAIN}" for name in ("ek", "alm", "bo-alm"))
    )


NAMES = st.sampled_from(["Anna", "Åsa", "Ek", "Öberg", "Łukasz", "王", ""])
STEP = st.dictionaries(st.integers(1, 5), st.tuples(NAMES, st.booleans()), max_size=5)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(STEP, st.integers(0, 120)), max_size=6))
def test_coming_and_going_never_moves_an_address_to_another(organisation, steps):
    """Whatever happens over the years, an address has one holder for ever."""
    base = replace(organisation, pcs=())
    held, day = Held(), TODAY
    owner: dict[str, str] = {}
    for people, days in steps:
        day += days * DAY
        extra: tuple[Person, ...] = tuple(
            person(100 + number, given, "Ek", protected=hidden)
            for number, (given, hidden) in people.items()
        )
        now = replace(base, people=(*base.people, *extra))
        held = applied(make_plan(now, DOMAIN, BASE, held, day, ANSWER_DAYS), held)
        for entry in held.entries.values():
            for address in entry.attributes.get("kommunpostAddress", ()):
                assert owner.setdefault(address, entry.holder) == entry.holder
        assert make_plan(now, DOMAIN, BASE, held, day, ANSWER_DAYS).is_empty
        _statuses_are_whole(held, {f"person:{one.id}" for one in now.people}, day)


def _statuses_are_whole(held: Held, here: set[str], day: date) -> None:
    people: list[Entry] = [e for e in held.entries.values() if e.holder.startswith("person:")]
    for entry in people:
        status, closes = entry.first("kommunpostStatus"), entry.first("kommunpostClosesOn")
        if entry.holder in here:
            assert (status, closes) == ("active", "")
        else:
            assert status == ("suspended" if closes else "closed")
            assert not closes or closes > f"{day:%Y%m%d}"
    assert len({entry.address for entry in people}) == len(people)
