"""Distribution lists: who gets one, by which address, and whom it reaches."""

import re
from dataclasses import replace

import pytest

from compliance.directory.model import Audience, Organisation
from compliance.directory.plan import Action
from compliance.directory.show import as_json
from compliance.errors import UserError

from .conftest import BASE, DOMAIN, ORGANISATION, person

LIST = "cn=ks,ou=lists"
DEPARTMENT = """\
  - id: it
    name: IT-avdelningen
    kind: department
    parent: ksk
    watcher: "1"
    deputy: "2"
"""


def _read(files, audience: str = "internal", unit: str = "ks") -> Organisation:
    text = ORGANISATION.replace("positions:", DEPARTMENT + "positions:")
    files.write(
        organisation=text.replace(f"  - id: {unit}\n", f"  - id: {unit}\n    list: {audience}\n")
    )
    return files.read()


def test_a_unit_has_a_list_only_if_it_is_to(organisation, settle):
    _, held = settle(organisation)
    assert not [rdn for rdn in held.entries if rdn.endswith("ou=lists")]


def test_a_list_reaches_the_unit_and_those_below_it(files, settle):
    plan, held = settle(_read(files))
    found = held.entries[LIST]
    assert found.address == f"alla.kommunstyrelsen@{DOMAIN}"
    assert (found.holder, found.kind) == ("list:ks", "list")
    assert found.first("kommunpostAudience") == "internal"
    assert found.first("description") == "Alla i Kommunstyrelsen"
    url = found.first("memberURL")
    assert url.startswith(f"ldap:///ou=people,{BASE}?mail?one?")
    assert re.findall(r"kommunpostUnit=(\w+)", url) == ["ks", "ksk", "it"]
    assert "(kommunpostStatus=active)" in url
    assert plan.records[found.address] == "list:ks"
    _, held = settle(_read(files, unit="it", audience="open"))
    found = held.entries["cn=it,ou=lists"]
    assert re.findall(r"kommunpostUnit=(\w+)", found.first("memberURL")) == ["it"]
    assert found.first("kommunpostAudience") == "open"


def test_a_list_names_nobody_and_is_no_mailbox(files, settle):
    plan, held = settle(_read(files))
    assert not {"member", "kommunpostKind", "kommunpostStatus"} & set(held.entries[LIST].attributes)
    assert "list:ks" not in as_json(plan)
    again, _ = settle(_read(files), held)
    assert again.is_empty
    assert again.active_before == len(again.mailboxes)


def test_people_come_and_go_without_a_word_about_the_list(files, settle):
    found = _read(files)
    _, held = settle(found)
    more = replace(found, people=(*found.people, person(9, "Eva", "Al", unit="it")))
    plan, _ = settle(more, held)
    assert [change.mailbox.holder for change in plan.changes if change.action != Action.KEEP] == [
        "person:9"
    ]


def test_a_list_that_is_no_more_is_removed_and_its_address_stays_its_own(files, settle):
    _, held = settle(_read(files))
    files.write()
    plan, held = settle(files.read(), held)
    assert [change.mailbox.rdn for change in plan.changes if change.action is Action.CLOSE] == [
        "cn=ks,ou=lists",
        "ou=it,ou=units",
    ]
    assert LIST not in held.entries
    assert held.ledger[f"alla.kommunstyrelsen@{DOMAIN}"] == "list:ks"
    _, held = settle(_read(files), held)
    assert held.entries[LIST].address == f"alla.kommunstyrelsen@{DOMAIN}"


def test_a_list_takes_nobodys_address_and_nobody_takes_the_lists(files, settle):
    found = _read(files)
    alla = person(7, "Alla", "Kommunstyrelsen")
    _, held = settle(replace(found, people=(*found.people, alla)))
    assert held.entries[LIST].address == f"alla.kommunstyrelsen@{DOMAIN}"
    assert held.entries["uid=7,ou=people"].address == f"alla.kommunstyrelsen2@{DOMAIN}"


def test_a_renamed_units_list_is_reached_by_both_names(files, settle):
    found = _read(files)
    _, held = settle(found)
    units = tuple(
        replace(unit, name="Nämnden") if unit.id == "ks" else unit for unit in found.units
    )
    _, held = settle(replace(found, units=units), held)
    assert held.entries[LIST].attributes["kommunpostAddress"] == (
        f"alla.kommunstyrelsen@{DOMAIN}",
        f"alla.namnden@{DOMAIN}",
    )


@pytest.mark.parametrize("word", ["alla", "Internal", "yes"])
def test_another_word_is_told(files, word):
    with pytest.raises(UserError, match=f"'{word}' is not known"):
        _read(files, audience=word)


def test_the_words_are_those_of_the_handbook():
    assert list(Audience) == ["internal", "open"]
