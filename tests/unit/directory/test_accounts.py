"""Accounts of Active Directory and of an LDAP directory become people and PCs.

The entries look as the two kinds of server send them.
"""

import uuid
from dataclasses import replace

import pytest

from compliance.directory.model import Conflict, Notice, PersonKind, Status
from compliance.directory.sources.account_source import AccountSource
from compliance.directory.sources.accounts import (
    ACTIVE_DIRECTORY,
    LDAP,
    RawEntry,
    Rules,
    read_accounts,
)
from compliance.directory.sources.gather import gather
from compliance.errors import UserError

from .conftest import ORGANISATION

AD_BASE = "DC=ad,DC=sjovalla,DC=example"
UNITS = {"Kontoret": "ksk", "Styrelsen": "ks"}
RULES = Rules(ACTIVE_DIRECTORY, "ldaps://dc1", "employeeNumber", UNITS)
GUIDS = [uuid.UUID(int=number) for number in range(10)]
NORMAL, DISABLED = "512", "514"
WORKSTATION, WORKSTATION_OFF = "4096", "4098"


def raw(dn: str, **attributes: str | bytes | list[str]) -> RawEntry:
    values = {
        name.lower(): [item if isinstance(item, bytes) else item.encode() for item in
                       (value if isinstance(value, list) else [value])]
        for name, value in attributes.items()
    }  # fmt: skip
    return RawEntry(dn, values)


def ad_user(number: str, given: str, surname: str, **more: str) -> RawEntry:
    fields = {"department": "Kontoret", "userAccountControl": NORMAL, "employeeNumber": number}
    return raw(
        f"CN={given} {surname},OU=Personal,{AD_BASE}",
        objectGUID=GUIDS[int(number or 9)].bytes_le,
        cn=f"{given} {surname}",
        givenName=given,
        sn=surname,
        **{**fields, **more},
    )


def ad_pc(name: str, owner: RawEntry | None = None, **more: str) -> RawEntry:
    owned = {"managedBy": owner.dn} if owner else {}
    fields = {"userAccountControl": WORKSTATION, **owned, **more}
    return raw(f"CN={name},CN=Computers,{AD_BASE}", objectGUID=GUIDS[8].bytes_le, cn=name, **fields)


ASA = ad_user("1", "Åsa", "Öberg")
BO = ad_user("2", "Bo", "Ek", middleName="Erik", userAccountControl=DISABLED)
CECILIA = ad_user("3", "Cecilia", "Alm", department="styrelsen", employeeType="Förtroendevald")
USERS = [ASA, BO, CECILIA]


def told(people: list[RawEntry], pcs: list[RawEntry], rules: Rules = RULES) -> list[str]:
    with pytest.raises(UserError) as caught:
        read_accounts(people, pcs, rules)
    assert all(problem.remedy for problem in caught.value.problems)
    return [f"{problem.where}: {problem.what}" for problem in caught.value.problems]


def test_active_directory_users_become_people():
    one, two, three = (found.value for found in read_accounts(USERS, [], RULES).people.values())
    assert (one.id, one.display_name, one.unit) == ("1", "Åsa Öberg", "ksk")
    assert (one.kind, one.status) == (PersonKind.EMPLOYEE, Status.ACTIVE)
    assert (two.middle_name, two.status) == ("Erik", Status.SUSPENDED), "disabled there, no login"
    assert (three.kind, three.unit) == (PersonKind.ELECTED, "ks")


def test_the_lasting_id_stays_whatever_the_name_becomes():
    rules = replace(RULES, id_attribute="objectGUID")
    (before,) = read_accounts([ASA], [], rules).people.values()
    renamed = replace(ad_user("1", "Åsa", "Ek"), dn=f"CN=Åsa Ek,OU=Chefer,{AD_BASE}")
    (after,) = read_accounts([renamed], [], rules).people.values()
    assert before.value.id == after.value.id == GUIDS[1].hex
    assert before.value.surname != after.value.surname


def test_computers_become_pcs_of_their_managers():
    pcs = [
        ad_pc("PC1", ASA),
        ad_pc("PC2"),
        ad_pc("PC3", department="Styrelsen"),
        ad_pc("PC4", ASA, userAccountControl=WORKSTATION_OFF),
    ]
    found = {pc.value.name: pc.value for pc in read_accounts(USERS, pcs, RULES).pcs}
    assert (found["PC1"].owners, found["PC1"].unit) == (("1",), "ksk")
    assert (found["PC2"].owners, found["PC2"].unit) == ((), "")
    assert found["PC3"].unit == "ks"
    assert "PC4" not in found, "a disabled computer is not joined"


def test_dns_are_compared_without_case():
    pc = ad_pc("PC1", replace(ASA, dn=ASA.dn.upper()))
    (found,) = read_accounts(USERS, [pc], RULES).pcs
    assert found.value.owners == ("1",)


def test_a_manager_who_is_nobody_is_told_without_the_name():
    pc = ad_pc("PC1", ad_user("7", "Vendela", "Kvarnhammar"))
    read = read_accounts(USERS, [pc], RULES)
    assert read.notices == (Notice(Conflict.OWNER_UNKNOWN, "PC PC1"),)


def test_an_account_without_id_is_left_out_and_told_by_its_guid():
    read = read_accounts([*USERS, ad_user("", "Vendela", "Kvarnhammar")], [], RULES)
    assert len(read.people) == 3
    assert read.notices == (
        Notice(Conflict.ACCOUNT_WITHOUT_ID, f"ldaps://dc1: objectGUID {GUIDS[9].hex}"),
    )


def test_members_of_the_protected_group_are_protected():
    rules = replace(RULES, protected=(ASA.dn.upper(),))
    people = {
        found.value.id: found.value for found in read_accounts(USERS, [], rules).people.values()
    }
    assert [number for number, person in people.items() if person.protected] == ["1"]


def test_nothing_is_told_of_a_protected_account_but_where_it_is():
    """P1: whoever keeps the accounts may have written the name where the id belongs."""
    vendela = replace(ASA, values={**ASA.values, "employeenumber": [b"Vendela Kvarnhammar"]})
    (line,) = told([vendela], [], replace(RULES, protected=(ASA.dn,)))
    assert "objectGUID" in line
    assert "attribute employeeNumber: the value does not fit" in line
    assert "Vendela" not in line


def test_accounts_without_a_protected_group_uncover_nobody(files, settle):
    """A group that the settings no longer name says nothing of anyone (P1)."""
    hidden = replace(RULES, protected=(ASA.dn,))
    both = {"people_file": files.folder / "people.csv"}
    files.write(people="id;given_name;surname;kind;unit\n1;Åsa;Öberg;employee;ksk\n"
                "2;Bo;Ek;employee;ksk\n3;Cecilia;Alm;elected;ks\n")  # fmt: skip
    for more in ({}, both):
        _, held = settle(gather(source(files, USERS, [], hidden, **more)))
        assert settle(gather(source(files, USERS, [], **more)), held)[0].is_empty
        back, _ = settle(
            gather(source(files, USERS, [], replace(RULES, protected=()), **more)), held
        )
        assert back.renamed == 1, "an empty group says that nobody is"


def test_departments_that_are_no_unit_stop_and_are_counted():
    people = [
        ad_user("4", "D", "D", department="Skolan"),
        ad_user("5", "E", "E", department="Skolan"),
        ad_user("6", "F", "F", department=""),
    ]
    assert told(people, []) == [
        "ldaps://dc1: department: 2 of the accounts have the department 'Skolan', "
        "which is mapped to no unit",
        "ldaps://dc1: department: 1 of the accounts have no department, which is mapped to no unit",
    ]


@pytest.mark.parametrize(
    ("user", "what"),
    [
        (ad_user("1", "Åsa", ""), "attribute sn: a name is missing"),
        (
            ad_user("1", "Å\u202esa", "Ek"),
            "attribute givenName: a name holds the unseen sign U+202E",
        ),
        (
            replace(ASA, values={**ASA.values, "employeenumber": [b"19811218-9876"]}),
            "attribute employeeNumber: the id is a personal identity number",
        ),
    ],
)  # fmt: skip
def test_a_broken_account_stops_and_is_told_by_its_guid(user, what):
    assert told([user], []) == [f"ldaps://dc1: objectGUID {GUIDS[1].hex}: {what}"]


def test_bytes_that_are_no_text_do_not_crash():
    broken = replace(ASA, values={**ASA.values, "sn": [b"\xff\xfe"]})
    (found,) = read_accounts([broken], [], RULES).people.values()
    assert found.value.surname == "\ufffd\ufffd"


def test_an_ldap_directory_gives_the_same_people_and_pcs():
    base = "dc=sjovalla,dc=example"

    def user(number: str, given: str, surname: str, **more: str) -> RawEntry:
        return raw(
            f"uid=u{number},ou=people,{base}", entryUUID=str(GUIDS[int(number)]), uid=f"u{number}",
            cn=f"{given} {surname}", givenName=given, sn=surname, employeeNumber=number,
            **{"ou": "Kontoret", **more},
        )  # fmt: skip

    people = [
        user("1", "Åsa", "Öberg"),
        user("2", "Bo", "Ek", middleName="Erik", pwdAccountLockedTime="000001010000Z"),
        user("3", "Cecilia", "Alm", ou="Styrelsen", employeeType="elected"),
    ]
    pc = raw(f"cn=PC1,ou=devices,{base}", cn="PC1", owner=[people[0].dn, people[2].dn])
    read = read_accounts(people, [pc], Rules(LDAP, "ldaps://ldap", "employeeNumber", UNITS))
    same = read_accounts(USERS, [], RULES)
    assert [p.value for p in read.people.values()] == [p.value for p in same.people.values()]
    assert read.pcs[0].value.owners == ("1", "3")
    lasting = read_accounts(people, [pc], Rules(LDAP, "ldaps://ldap", "entryUUID", UNITS))
    assert lasting.pcs[0].value.owners == (GUIDS[1].hex, GUIDS[3].hex)


def test_a_lock_that_passes_is_no_suspension():
    """ppolicy locks for a while after wrong passwords."""
    user = raw("uid=1,dc=x", entryUUID="u", sn="Ek", ou="Kontoret", employeeNumber="1",
               pwdAccountLockedTime="20261124080000Z")  # fmt: skip
    read = read_accounts([user], [], Rules(LDAP, "ldaps://ldap", "employeeNumber", UNITS))
    assert read.people["uid=1,dc=x"].value.status is Status.ACTIVE


def source(files, people: list[RawEntry], pcs: list[RawEntry], rules: Rules = RULES, **lists):
    return AccountSource(
        files.folder / "organisation.yml", lambda: read_accounts(people, pcs, rules), **lists
    )


def test_accounts_alone_make_a_municipality(files, settle):
    found = gather(source(files, USERS, [ad_pc("PC1", ASA), ad_pc("PC2")]))
    plan, held = settle(found)
    assert plan.notices == (Notice(Conflict.PC_WITHOUT_OWNER, "PC PC2"),)
    assert "kommunpostUnit" not in held.entries["cn=pc2,ou=devices"].attributes
    assert settle(found, held)[0].is_empty


def test_the_list_of_people_decides_and_the_accounts_say_who_is_off(files, settle):
    users = [
        ASA,
        BO,
        ad_user("2", "Bo", "Admin"),  # an administrator's second account, which is not off
        ad_user("7", "Vendela", "Kvarnhammar"),
        ad_user("6", "Ulla", "Ung", userAccountControl=DISABLED),
    ]
    rules = replace(RULES, protected=(ASA.dn,))
    both = source(files, users, [ad_pc("PC1", ASA)], rules, people_file=files.folder / "people.csv")
    found = gather(both)
    people = {person.id: person for person in found.people}
    assert set(people) == {"1", "2", "3"}
    assert people["1"].protected
    assert people["2"].status is Status.ACTIVE
    assert found.notices == (
        Notice(Conflict.NOT_IN_ACCOUNTS, "3"),
        Notice(Conflict.NOT_IN_HR, "7"),
    )
    assert [pc.name for pc in found.pcs] == ["PC1"]
    off = source(files, [ASA, BO, CECILIA], [], people_file=files.folder / "people.csv")
    assert [p.status for p in gather(off).people] == [
        Status.ACTIVE,
        Status.SUSPENDED,
        Status.ACTIVE,
    ]


def test_a_pc_of_somebody_whom_hr_let_go_is_told_as_theirs(files, settle):
    _, held = settle(files.read())
    gone = "\n".join(line for line in (files.folder / "people.csv").read_text("utf-8").splitlines()
                     if not line.startswith("2;"))  # fmt: skip
    files.write(people=gone, organisation=ORGANISATION.replace('"2"', '"3"'))
    both = source(files, USERS, [ad_pc("PC2", BO)], people_file=files.folder / "people.csv")
    plan, _ = settle(gather(both), held)
    assert Notice(Conflict.OWNER_LEFT, "PC PC2: 2") in plan.notices


def test_a_server_that_does_not_answer_is_asked_and_told_once(files):
    asked = []

    def read():
        asked.append("once")
        raise UserError.of("the directory cannot be reached", "ldaps://dc1")

    for people in (None, files.folder / "people.csv"):
        asked.clear()
        with pytest.raises(UserError) as caught:
            gather(AccountSource(files.folder / "organisation.yml", read, people))
        assert len(asked) == len(caught.value.problems) == 1


def test_a_list_of_pcs_stands_instead_of_the_computers(files):
    both = source(files, USERS, [ad_pc("PC9", CECILIA)], pcs_file=files.folder / "pcs.csv")
    assert [pc.name for pc in gather(both).pcs] == ["PC1", "PC2", "PC3"]
