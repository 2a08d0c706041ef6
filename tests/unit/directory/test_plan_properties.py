"""What holds for any list of people, year after year: one address each, and for ever."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.directory import naming
from compliance.directory.model import Organisation, Person
from compliance.directory.plan import make_plan
from compliance.directory.tree import Held
from compliance.errors import UserError

from .conftest import ANSWER_DAYS, BASE, DOMAIN, TODAY, applied, person

NAMES = st.sampled_from(
    ["Anna", "Åsa", "af Ek", "O'Brien", "王小明", "محمد", "สมชาย", "🙂", "Postmaster",
     "Kommunalråd", "X" * 70, "Referens", "7", "Ö", "de la Gardie", "Berg-Öhman", "Ek2"]
) | st.text(min_size=1, max_size=20)  # fmt: skip
TOWN = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def towns(draw: st.DrawFn) -> list[Person]:
    """Draw the list of one year: people of a few ids come and go, and change their names."""
    numbers = draw(st.sets(st.sampled_from(["7", "8", "20", "30", "A_1", "b-"]), max_size=6))
    return [
        person(
            number,
            draw(NAMES | st.just("")),
            draw(NAMES),
            middle_name=draw(st.just("") | NAMES),
            protected=draw(st.booleans()),
            ends=draw(st.none() | st.dates(TODAY, TODAY + timedelta(days=800))),
        )
        for number in sorted(numbers)
    ]


@pytest.fixture
def town(organisation):
    """Give the small municipality with more people in it."""

    def make(people: list[Person]) -> Organisation:
        return replace(organisation, people=(*organisation.people, *people))

    return make


def _plan(organisation: Organisation, held: Held, day: date = TODAY):
    return make_plan(organisation, DOMAIN, BASE, held, day, ANSWER_DAYS)


@TOWN
@given(years=st.lists(towns(), min_size=1, max_size=6))
def test_year_after_year_an_address_has_one_holder(town, years):
    held = Held()
    for number, people in enumerate(years):
        day = TODAY + timedelta(days=150 * number)
        before = held
        plan = _plan(town(people), held, day)
        held = applied(plan, held)
        mailboxes = [e for e in held.entries.values() if e.address]
        delivering = [
            (address, entry.holder)
            for entry in mailboxes
            for address in entry.attributes["kommunpostAddress"]
        ]
        assert len(dict(delivering)) == len(delivering), "an address delivers to one mailbox"
        assert dict(delivering).items() <= held.ledger.items()
        assert before.ledger.items() <= held.ledger.items(), "the ledger only grows"
        for entry in mailboxes:
            local = entry.address.removesuffix(f"@{DOMAIN}")
            assert naming.is_valid_local_part(local)
            assert entry.address in entry.attributes["kommunpostAddress"]
        assert _plan(town(people), held, day).is_empty, "a second run changes nothing"


@TOWN
@given(people=towns(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nothing(town, people, order: random.Random):
    shuffled = order.sample(people, len(people))
    one, other = _plan(town(people), Held()), _plan(town(shuffled), Held())
    assert applied(one, Held()) == applied(other, Held())


@TOWN
@given(people=towns(), others=towns(), away=st.integers(1, 900))
def test_whoever_leaves_and_returns_has_the_same_address(town, people, others, away):
    everybody = [replace(one, ends=None) for one in people]
    first = applied(_plan(town(everybody), Held()), Held())
    ids = {one.id for one in everybody}
    strangers = [one for one in others if one.id not in ids]
    held = applied(_plan(town(strangers), first), first)
    later = TODAY + timedelta(days=away)
    held = applied(_plan(town(strangers), held, later), held)
    held = applied(_plan(town([*strangers, *everybody]), held, later), held)
    for one in everybody:
        key = f"uid={one.id},ou=people".lower()
        assert held.entries[key].address == first.entries[key].address
        assert held.entries[key].first("kommunpostStatus") == "active"


@TOWN
@given(people=towns())
def test_a_protected_identity_has_the_neutral_address_whatever_the_name(town, people):
    held = applied(_plan(town(people), Held()), Held())
    for one in people:
        entry = held.entries[f"uid={one.id},ou=people".lower()]
        if one.protected:
            neutral = f"referens.{one.id.lower()}"
            assert entry.address.startswith(neutral)
            assert entry.attributes["cn"] == (f"Referens {one.id}",)


@pytest.mark.parametrize(("percent", "is_refused"), [(9, True), (10, False)])
def test_a_mangled_export_that_renames_many_is_refused_unless_allowed(town, percent, is_refused):
    before = town([person(n, "Bo", f"Ek{n}x") for n in range(10, 95)])
    held = applied(_plan(before, Held()), Held())
    swapped = [replace(one, given_name=one.surname, surname="Bo") for one in before.people[3:13]]
    plan = _plan(replace(before, people=(*before.people[:3], *swapped, *before.people[13:])), held)
    assert (plan.renamed, plan.active_before) == (10, 100)
    if not is_refused:
        plan.refuse_mass_renaming(percent)
        return
    with pytest.raises(UserError, match="would rename 10 of 100 mailboxes") as caught:
        plan.refuse_mass_renaming(percent)
    assert "--allow-renaming 10" in caught.value.problems[0].remedy


def test_another_pattern_renames_and_the_old_address_keeps_delivering(organisation):
    held = applied(_plan(organisation, Held()), Held())
    plan = make_plan(organisation, DOMAIN, BASE, held, TODAY, ANSWER_DAYS, "{g}.{surname}")
    one = applied(plan, held).entries["uid=1,ou=people"]
    assert one.address == f"a.oberg@{DOMAIN}"
    assert f"asa.oberg@{DOMAIN}" in one.attributes["kommunpostAddress"]
