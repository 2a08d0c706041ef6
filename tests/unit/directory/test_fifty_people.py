"""Fifty people of every script and trap; of two nothing may be seen but the neutral address."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.directory import naming, show
from compliance.directory.apply import writes_of
from compliance.directory.model import Status, Watch
from compliance.directory.plan import Action
from compliance.errors import UserError
from compliance.watch import letters, reminders
from compliance.watch.keepers import watched

from .conftest import BASE, DOMAIN, TODAY, Files

FIFTY = Path(__file__).with_name("fifty.csv").read_text(encoding="utf-8")
# Whole names, and as an address would spell them.
HIDDEN = ["Vendela", "Ulla", "Kvarnhammar", "Özgür", "Ozgur", "Çelikyürek", "Celikyurek"]
NEUTRAL = [f"referens.49@{DOMAIN}", f"referens.50@{DOMAIN}"]


@pytest.fixture
def fifty(files: Files):
    """Give the small municipality with the fifty instead of its three."""
    files.write(people=FIFTY)
    found = files.read()
    assert len(found.people) == 50
    return found


def _is_clean(text: str) -> bool:
    return not any(name.casefold() in text.casefold() for name in HIDDEN)


class Written:
    """Stands where a bound connection stands, and keeps everything that is written."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def add(self, *what: object) -> None:
        self.all.append(repr(what))

    modify = delete = add


def test_everybody_has_a_valid_address_of_their_own_by_the_rules(fifty, settle):
    plan, _ = settle(fifty)
    people = [c.mailbox for c in plan.mailboxes if c.mailbox.holder.startswith("person:")]
    locals_ = {e.holder.removeprefix("person:"): e.address.partition("@")[0] for e in people}
    assert len(set(locals_.values())) == 50
    assert all(map(naming.is_valid_local_part, locals_.values()))
    assert [locals_[n] for n in ("1", "2", "3", "40")] == [
        "anna.berg", "anna.k.berg", "anna.berg2", "anna.berg3",
    ]  # fmt: skip
    assert locals_["39"] == "referens.39", "no letter in the name"
    assert max(map(len, locals_.values())) == naming.LOCAL_PART_MAX


def test_nothing_of_a_protected_identity_is_seen_from_the_first_day_to_the_last(fifty, settle):
    """Known by name before, then protected, then on leave, then gone: at no stage a name."""
    known = replace(fifty, people=tuple(replace(p, protected=False) for p in fifty.people))
    _, held = settle(known)
    assert not _is_clean(repr(held)), "the names are there before, or this test sees nothing"
    on_leave = tuple(
        replace(p, status=Status.ON_LEAVE, deputy="1") if p.protected else p for p in fifty.people
    )
    gone = tuple(p for p in fifty.people if not p.protected)
    day = TODAY
    for people in (fifty.people, on_leave, gone, fifty.people):
        plan, after = settle(replace(fifty, people=people), held, day)
        written = Written()
        for write in writes_of(written, BASE, plan):
            write()
        output = [*show.as_text(plan), show.as_json(plan), *show.notices(plan.notices)]
        assert _is_clean("\n".join(output))
        assert _is_clean("\n".join(written.all))
        assert "Wałęsiak" in show.as_json(plan), "others stand there by name"
        held, day = after, day + timedelta(days=30)
    assert _is_clean(repr(held.entries)), "only the ledger still knows"
    assert all(any(a in line for line in output) for a in NEUTRAL)


def test_letters_name_a_protected_watcher_by_the_reference(fifty, settle):
    units = tuple(replace(unit, watch=Watch("49", "50")) for unit in fifty.units)
    posts = tuple(replace(post, holders=("49",)) for post in fifty.positions)
    _, held = settle(replace(fifty, units=units, positions=posts))
    arrived = datetime(2026, 11, 2, 8, tzinfo=UTC)
    told = None
    seen = set()
    for box in watched(held.entries, BASE):
        for day, _ in zip((5, 6, 9), box.chain, strict=False):
            now = datetime(2026, 11, day, 9, tzinfo=UTC)
            reminder = reminders.due(box, arrived, now, told)
            assert reminder
            letter = letters.write(reminder, "Sjövalla kommun")
            told = reminders.after(reminder, arrived, now.date(), told)
            assert _is_clean(letter.subject + letter.body)
            assert "Referens" in letter.body
            seen.add(letter.to)
        told = None
    assert seen >= set(NEUTRAL)


def test_the_answer_for_somebody_protected_who_has_left_names_the_neutral_address(fifty, settle):
    _, held = settle(fifty)
    staying = tuple(p for p in fifty.people if not p.protected)
    plan, held = settle(replace(fifty, people=staying), held)
    assert sum(c.action is Action.SUSPEND for c in plan.changes) == 2
    for number in ("49", "50"):
        answer = held.entries[f"uid={number},ou=people"].first("kommunpostAnswer")
        assert any(neutral in answer for neutral in NEUTRAL)
        assert _is_clean(answer)


WHOLE = "49;Vendela;Ulla;Kvarnhammar;employee;ksk;yes"
BROKEN = [
    "Vendela K;49;Ulla;Kvarnhammar;x;ksk;yes",
    "49;Vendela;Ulla;ksk;employee;Kvarnhammar;yes",
    "Kvarnhammar;Vendela;Ulla;49;Ulla;Vendela;yes",
    "49;Vendela;Ulla;Kvarnhammar;employee;Kvarnhammar;yes",
    "49;Vendela;Kvarnhammar;employee;ksk;yes",
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_line_of_somebody_protected_is_told_without_the_name(files, broken):
    assert WHOLE in FIFTY
    files.write(people=FIFTY.replace(WHOLE, broken))
    with pytest.raises(UserError) as caught:
        files.read()
    told = str(caught.value)
    assert re.search(r"people\.csv:50: ", told)
    assert _is_clean(told)
