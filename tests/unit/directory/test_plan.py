"""A plan says what must change and why, and comes to rest."""

from dataclasses import replace
from datetime import date

import pytest

from compliance.directory.model import Organisation, Pc, Person, Status
from compliance.directory.plan import Action, MailboxPlan, make_plan
from compliance.directory.tree import Entry, Held
from compliance.errors import UserError

from .conftest import ANSWER_DAYS, BASE, DOMAIN, ORGANISATION, TODAY, applied, person

OTHERS = ("2;Bo;Ek;employee;ksk", "3;Cecilia;Alm;elected;ks")


def _of(plan: MailboxPlan, holder: str) -> tuple[Action, Entry, str]:
    change = next(c for c in plan.changes if c.mailbox.holder == holder)
    return change.action, change.mailbox, change.reason


def _with(organisation: Organisation, index: int, **changes: object) -> Organisation:
    people: list[Person] = list(organisation.people)
    people[index] = replace(people[index], **changes)
    return replace(organisation, people=tuple(people))


def test_a_first_plan_creates_everything_and_records_every_address(organisation, settle):
    plan, held = settle(organisation)
    assert set(plan.counts()) == {Action.CREATE}
    assert plan.records[f"asa.oberg@{DOMAIN}"] == "person:1"
    assert plan.records[f"kommunalrad@{DOMAIN}"] == "position:kommunalrad"
    assert plan.records[f"postmaster@{DOMAIN}"] == "system:postmaster"
    assert set(held.ledger) == {c.mailbox.address for c in plan.mailboxes}


def test_a_second_plan_is_empty(organisation, settle):
    _, held = settle(organisation)
    again, _ = settle(organisation, held)
    assert again.is_empty
    assert set(again.counts()) == {Action.KEEP}


def test_entries_look_as_the_architecture_says(organisation, settle):
    plan, _ = settle(organisation)
    entries = {change.mailbox.rdn: change.mailbox.attributes for change in plan.changes}
    one = entries["uid=1,ou=people"]
    assert one["cn"] == ("Åsa Öberg",)
    assert one["kommunpostUnit"] == ("ksk",)
    assert entries["ou=ksk,ou=units"]["kommunpostDuty"] == ("executive-office",)
    assert entries["ou=ksk,ou=units"]["kommunpostWatcher"] == (f"uid=1,ou=people,{BASE}",)
    assert entries["cn=kommunalrad,ou=positions"]["kommunpostDuty"] == ("commissioner",)
    assert entries["cn=kommunalrad,ou=positions"]["roleOccupant"] == (f"uid=3,ou=people,{BASE}",)
    assert entries["cn=PC2,ou=devices"]["owner"] == (
        f"uid=1,ou=people,{BASE}",
        f"uid=2,ou=people,{BASE}",
    )
    assert "owner" not in entries["cn=PC3,ou=devices"]


def test_a_head_of_administration_has_the_duty(files, settle):
    post = "  - {id: chef, name: Kommunchef, unit: ksk, holders: [1]}\n"
    files.write(
        organisation=ORGANISATION.replace("    parent: ks\n", "    parent: ks\n    head: chef\n")
        + post
    )
    plan, _ = settle(files.read())
    assert _of(plan, "position:chef")[1].attributes["kommunpostDuty"] == ("head",)


def test_a_new_surname_renames_and_the_old_address_keeps_delivering(organisation, settle):
    _, held = settle(organisation)
    plan, held = settle(_with(organisation, 0, surname="Ek"), held)
    action, entry, reason = _of(plan, "person:1")
    assert action is Action.RENAME
    assert entry.address == f"asa.ek@{DOMAIN}"
    assert entry.attributes["kommunpostAddress"] == (
        f"asa.ek@{DOMAIN}",
        f"asa.oberg@{DOMAIN}",
    )
    assert f"asa.oberg@{DOMAIN}" in reason
    assert settle(_with(organisation, 0, surname="Ek"), held)[0].is_empty


def test_a_new_unit_moves_and_a_suspension_suspends(organisation, settle):
    _, held = settle(organisation)
    moved, _ = settle(_with(organisation, 0, unit="ks"), held)
    assert _of(moved, "person:1")[0] is Action.MOVE
    suspended, held = settle(_with(organisation, 0, status=Status.SUSPENDED), held)
    assert _of(suspended, "person:1")[0] is Action.SUSPEND
    back, _ = settle(organisation, held)
    assert _of(back, "person:1")[:1] == (Action.UPDATE,)


def test_whoever_left_gets_the_address_back_and_a_namesake_never(organisation, settle):
    without = replace(organisation, people=organisation.people[:1] + organisation.people[2:])
    _, held = settle(organisation)
    _, held = settle(without, held)
    _, held = settle(without, held, date(2028, 1, 1))
    assert held.entries["uid=2,ou=people"].first("kommunpostStatus") == "closed"
    namesake = replace(without, people=(*without.people, person(9, "Bo", "Ek")))
    plan, held = settle(namesake, held)
    assert _of(plan, "person:9")[1].address == f"bo.ek2@{DOMAIN}"
    assert not plan.leaving, "who is closed is not closed again"
    plan, _ = settle(organisation, held)
    action, entry, reason = _of(plan, "person:2")
    assert (action, entry.address) == (Action.UPDATE, f"bo.ek@{DOMAIN}")
    assert "closed" in reason


def test_a_pc_that_is_gone_leaves_no_trace(organisation, settle):
    _, held = settle(organisation)
    plan, held = settle(replace(organisation, pcs=organisation.pcs[1:]), held)
    assert plan.counts()[Action.CLOSE] == 1
    assert not any(change.action is Action.CLOSE for change in plan.mailboxes)
    assert "cn=pc1,ou=devices" not in held.entries


def test_a_mailbox_that_was_removed_by_hand_comes_back_with_its_address(organisation, settle):
    _, held = settle(organisation)
    key = "cn=kommunalrad,ou=positions"
    bare = {
        k: v for k, v in held.entries[key].attributes.items() if k not in {"mail", "kommunpostKind"}
    }
    entries = {**held.entries, key: replace(held.entries[key], attributes=bare)}
    plan, _ = settle(organisation, Held(entries, held.ledger))
    action, entry, reason = _of(plan, "position:kommunalrad")
    assert (action, entry.address) == (Action.CREATE, f"kommunalrad@{DOMAIN}")
    assert reason == "the mailbox was missing"


def test_an_address_given_by_hand_is_kept_and_recorded(organisation, settle):
    _, held = settle(organisation)
    entry = held.entries["uid=1,ou=people"]
    more = {**entry.attributes, "kommunpostAddress": (entry.address, f"vaxel@{DOMAIN}")}
    entries = {**held.entries, "uid=1,ou=people": replace(entry, attributes=more)}
    plan, _ = settle(organisation, Held(entries, held.ledger))
    assert plan.records == {f"vaxel@{DOMAIN}": "person:1"}
    assert _of(plan, "person:1")[0] is Action.KEEP


def test_an_address_in_two_entries_stays_with_the_ledgers_holder(organisation, settle):
    _, held = settle(organisation)
    entry = held.entries["uid=2,ou=people"]
    stolen = {**entry.attributes, "kommunpostAddress": (entry.address, f"asa.oberg@{DOMAIN}")}
    entries = {**held.entries, "uid=2,ou=people": replace(entry, attributes=stolen)}
    plan, _ = settle(organisation, Held(entries, held.ledger))
    assert _of(plan, "person:2")[1].attributes["kommunpostAddress"] == (f"bo.ek@{DOMAIN}",)


@pytest.mark.parametrize("column", [None, ""])
def test_a_list_that_does_not_say_who_is_protected_uncovers_nobody(files, settle, column):
    """An export that lost the column would else show every protected person to everybody (P1)."""

    def listed(protected: str | None) -> str:
        heading, *rows = ["id;given_name;surname;kind;unit", "1;Åsa;Öberg;employee;ksk", *OTHERS]
        if protected is None:
            return "\n".join([heading, *rows])
        return "\n".join([f"{heading};protected", *(f"{row};{protected}" for row in rows)])

    files.write(people=listed("yes"))
    _, held = settle(files.read())
    files.write(people=listed(column))
    plan, after = settle(files.read(), held)
    assert plan.is_empty
    assert not {"Åsa", "Öberg", "asa", "oberg"} & set(_words(plan, after))
    files.write(people=listed("no"))
    told, _ = settle(files.read(), held)
    assert _of(told, "person:1")[1].address == f"asa.oberg@{DOMAIN}", "that is a word"


def test_classes_that_others_added_stay(organisation, settle):
    _, held = settle(organisation)
    entry = held.entries["cn=pc1,ou=devices"]
    other = replace(entry, classes=frozenset({"device", "somethingElse"}))
    plan, _ = settle(organisation, Held({**held.entries, "cn=pc1,ou=devices": other}, held.ledger))
    change = next(c for c in plan.changes if c.mailbox.rdn == "cn=PC1,ou=devices")
    assert change.writes == {"objectClass": ("device", "kommunpostUnitMember", "somethingElse")}


def test_a_protected_identity_leaves_no_name_anywhere(organisation, settle):
    hidden = _with(organisation, 0, protected=True)
    plan, held = settle(hidden)
    assert _of(plan, "person:1")[1].address == f"referens.1@{DOMAIN}"
    assert not {"Åsa", "Öberg", "asa", "oberg"} & set(_words(plan, held))


def test_becoming_protected_wipes_the_name_and_the_address(organisation, settle):
    _, held = settle(organisation)
    hidden = _with(organisation, 0, protected=True)
    plan, held = settle(hidden, held)
    one = held.entries["uid=1,ou=people"]
    assert one.attributes["kommunpostAddress"] == (f"referens.1@{DOMAIN}",)
    assert "asa.oberg" not in _of(plan, "person:1")[2]
    assert "Öberg" not in str(one.attributes)
    assert settle(hidden, held)[0].is_empty
    namesake = replace(hidden, people=(*hidden.people, person(9, "Åsa", "Öberg")))
    assert _of(settle(namesake, held)[0], "person:9")[1].address == f"asa.oberg2@{DOMAIN}"
    back, _ = settle(organisation, held)
    assert _of(back, "person:1")[1].address == f"asa.oberg@{DOMAIN}"


def _words(plan: MailboxPlan, held: Held) -> list[str]:
    texts = [repr(plan), repr(held)]
    return "".join(c if c.isalnum() else " " for text in texts for c in text).split()


@pytest.mark.parametrize(("percent", "is_refused"), [(9, True), (10, False)])
def test_closing_many_is_refused_unless_allowed(organisation, settle, percent, is_refused):
    people = tuple(person(n, "Bo", f"Ek{n}") for n in range(1, 89))
    many = replace(organisation, people=people, pcs=())
    _, held = settle(many)
    plan, _ = settle(replace(many, people=people[10:]), held)
    assert plan.active_before == 100  # 88 people, 3 functions, 9 of the system
    if not is_refused:
        plan.refuse_mass_closing(percent)
        return
    with pytest.raises(UserError, match="would close 10 of 100 mailboxes") as caught:
        plan.refuse_mass_closing(percent)
    assert "--allow-closing 10" in caught.value.problems[0].remedy


def test_ten_thousand_unchanged_people_need_nothing(organisation):
    """Names that many share are told apart as they were the first time."""
    people = tuple(person(n, f"Anna{n % 50}", f"Ek{n % 60}") for n in range(1, 10_001))
    pcs = tuple(Pc(f"PC{n}", "ksk", (str(n),)) for n in range(1, 10_001))
    big = replace(organisation, people=people, pcs=pcs)
    first = make_plan(big, DOMAIN, BASE, Held(), TODAY, ANSWER_DAYS)
    held = applied(first, Held())
    assert make_plan(big, DOMAIN, BASE, held, TODAY, ANSWER_DAYS).is_empty
