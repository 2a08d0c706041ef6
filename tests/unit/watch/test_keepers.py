"""Who keeps a mailbox read comes from the directory, without those who are not here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from compliance.directory.model import Organisation, Person, PersonKind, Position, Unit, Watch
from compliance.directory.model import UnitKind as Kind
from compliance.directory.plan import make_plan
from compliance.directory.tree import Entry, Held
from compliance.watch.keepers import head_of, watched
from compliance.watch.reminders import Recipient, Watched

BASE, DOMAIN = "dc=sjovalla,dc=example", "sjovalla.example"
ONE_TWO = Watch("1", "2")


def _person(number: str, name: str, **more: object) -> Person:
    return Person(number, name, "", "Ek", PersonKind.EMPLOYEE, "kk", **more)  # type: ignore[arg-type]


@pytest.fixture
def entries() -> Mapping[str, Entry]:
    organisation = Organisation(
        municipality="Sjövalla kommun",
        units=(
            Unit("ks", "Kommunstyrelsen", Kind.AUTHORITY, None, ONE_TWO),
            Unit("kk", "Kommunkontoret", Kind.ADMINISTRATION, "ks", ONE_TWO),
            Unit("bn", "Bygg", Kind.AUTHORITY, None, ONE_TWO),
            Unit("bf", "Byggkontoret", Kind.ADMINISTRATION, "bn", ONE_TWO, head="chef"),
            Unit("lov", "Bygglov", Kind.DEPARTMENT, "bf", ONE_TWO),
            Unit("tak", "Taklov", Kind.DEPARTMENT, "lov", ONE_TWO),
        ),
        positions=(
            Position("chef", "Byggchef", "bf", ("3",)),
            Position("rad", "Kommunalråd", "ks", ("3",)),
        ),
        people=(_person("1", "Ann"), _person("2", "Bo", protected=True), _person("3", "Cia")),
        pcs=(),
        commissioner="rad",
        executive_office="kk",
    )
    plan = make_plan(organisation, DOMAIN, BASE, Held(), date(2026, 11, 24), 90)
    return {change.mailbox.rdn.lower(): change.mailbox for change in plan.changes}


def _of(entries: Mapping[str, Entry]) -> dict[str, Watched]:
    return {box.address.partition("@")[0]: box for box in watched(entries, BASE)}


def _changed(entries: Mapping[str, Entry], rdn: str, **attributes: str) -> dict[str, Entry]:
    entry = entries[rdn]
    values = {name: (value,) if value else () for name, value in attributes.items()}
    return {**entries, rdn: replace(entry, attributes={**entry.attributes, **values})}


def test_every_unit_has_its_keepers_and_a_protected_one_no_name(entries):
    found = _of(entries)
    assert len(found) == 8, "six units and two positions"
    assert found["bygglov"].watcher == Recipient(f"ann.ek@{DOMAIN}", "Ann Ek")
    assert found["bygglov"].unit == "lov"
    assert found["kommunalrad"].unit == "ks", "that of the position"
    assert found["bygglov"].deputy == Recipient(f"referens.2@{DOMAIN}", "Referens 2")


def test_the_head_leads_all_below_the_administration_and_the_authority_above(entries):
    found = _of(entries)
    chief = Recipient(f"byggchef@{DOMAIN}", "Byggchef")
    office = Recipient(f"kommunkontoret@{DOMAIN}", "Kommunkontoret")
    assert {name for name, box in found.items() if box.head == chief} == {
        "bygg", "byggkontoret", "bygglov", "taklov"}  # fmt: skip
    assert found["byggchef"].head == office, "nobody is told on to oneself"
    assert found["kommunstyrelsen"].head == office, "where nobody is named, who supervises"


def test_the_head_of_a_unit_is_found_by_its_id_and_else_the_executive_office(entries):
    found = {unit: head_of(entries, BASE, unit) for unit in ("tak", "bn", "ks", "okand")}
    assert {unit: head and head.name for unit, head in found.items()} == {
        "tak": "Byggchef", "bn": "Byggchef", "ks": "Kommunkontoret", "okand": "Kommunkontoret",
    }  # fmt: skip
    assert head_of({}, BASE, "ks") is None


def test_a_position_is_watched_by_its_holder_and_a_vacant_one_by_nobody(entries):
    post = _of(entries)["kommunalrad"]
    assert (post.watcher, post.deputy) == (Recipient(f"cia.ek@{DOMAIN}", "Cia Ek"), None)
    assert post.is_position
    vacant = _of(_changed(entries, "cn=rad,ou=positions", roleOccupant=""))
    assert [keeper for keeper, _ in vacant["kommunalrad"].chain] == ["head"]
    assert (vacant["kommunalrad"].is_kept, post.is_kept) == (False, True)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_whoever_left_is_not_told(entries, status):
    gone = _changed(entries, "uid=1,ou=people", kommunpostStatus=status)
    assert _of(gone)["bygglov"].watcher is None
    removed = {name: entry for name, entry in entries.items() if name != "uid=2,ou=people"}
    assert _of(removed)["bygglov"].deputy is None


def test_whoever_is_on_leave_is_not_told(entries):
    away = _changed(entries, "uid=1,ou=people", kommunpostDeputy=f"uid=3,ou=people,{BASE}")
    assert _of(away)["bygglov"].watcher is None


def test_a_mailbox_is_kept_while_the_deputy_is_here(entries):
    away = _changed(entries, "uid=1,ou=people", kommunpostStatus="suspended")
    assert _of(away)["bygglov"].is_kept
    both = _changed(away, "uid=2,ou=people", kommunpostDeputy=f"uid=3,ou=people,{BASE}")
    assert not _of(both)["bygglov"].is_kept


def test_a_vacant_head_is_stood_in_for(entries):
    vacant = _changed(entries, "cn=chef,ou=positions", roleOccupant="")
    assert _of(vacant)["bygglov"].head.name == "Kommunkontoret"


def test_a_mailbox_that_is_closed_is_not_watched(entries):
    assert "bygglov" not in _of(_changed(entries, "ou=lov,ou=units", kommunpostStatus="closed"))


def test_nothing_without_an_executive_office(entries):
    assert _of(_changed(entries, "ou=kk,ou=units", kommunpostStatus="closed")) == {}
