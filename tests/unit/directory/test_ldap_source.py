"""An OpenLDAP of the municipality's own is as good a source as its lists: the same plan comes out.

For Active Directory the same is held in tests/active_directory.
"""

from collections.abc import Iterator
from pathlib import Path

import ldap3
import pytest
from local_directory import BASE, DOMAIN, LocalDirectory

from compliance import settings
from compliance.directory.conflicts import notices_of
from compliance.directory.ldap import connect
from compliance.directory.model import Organisation, PersonKind, Status
from compliance.directory.passwords import LOCKED_FOR_GOOD
from compliance.directory.plan import Action, MailboxPlan, make_plan
from compliance.directory.sources.configured import source_of
from compliance.directory.sources.gather import gather
from compliance.directory.tree import Held

from .conftest import ANSWER_DAYS, TODAY

EXAMPLE = Path(__file__).parents[3] / "inventory/example"
LEFT_OUT = f"uid=skrivare,ou=people,{BASE}"
# inetOrgPerson has no middle name, which this municipality's own schema adds.
WORDS = """dn: cn=own,cn=schema,cn=config
objectClass: olcSchemaConfig
cn: own
olcAttributeTypes: ( 2.25.1 NAME 'middleName' SUP name )
olcObjectClasses: ( 2.25.2 NAME 'ownPerson' SUP top AUXILIARY MAY middleName )
"""


def _files() -> settings.Sources:
    return settings.Sources(
        organisation=EXAMPLE / "organisation.yml",
        people=EXAMPLE / "people.csv",
        pcs=EXAMPLE / "pcs.csv",
    )


def _dn(person: str) -> str:
    return f"uid=u{person},ou=people,{BASE}"


def _fill(directory: settings.Directory, organisation: Organisation) -> None:
    """Let the people and PCs stand in LDAP, and an account of a program that is nobody's."""
    units = {unit.id: unit.name for unit in organisation.units}
    elected = {PersonKind.ELECTED: "förtroendevald", PersonKind.EMPLOYEE: "anställd"}
    with connect(directory, "writer") as connection:
        for person in organisation.people:
            fields = {
                "cn": f"{person.given_name} {person.surname}",
                "sn": person.surname,
                "givenName": person.given_name,
                "middleName": person.middle_name,
                "employeeNumber": person.id,
                "employeeType": elected[person.kind],
                "ou": units[person.unit],
            }
            kept = {name: value for name, value in fields.items() if value}
            connection.add(_dn(person.id), ["inetOrgPerson", "ownPerson"], kept)
        connection.add(LEFT_OUT, ["inetOrgPerson"], {"cn": "Skrivare", "sn": "Skrivare"})
        for pc in organisation.pcs:
            owners = [_dn(owner) for owner in pc.owners]
            fields = {"ou": units[pc.unit]} | ({"owner": owners} if owners else {})
            connection.add(f"cn={pc.name},ou=devices,{BASE}", ["device"], fields)
        protected = [_dn(person.id) for person in organisation.people if person.protected]
        group = {"member": protected, "kommunpostHolder": "x", "kommunpostRight": "reader"}
        connection.add(f"cn=skyddade,ou=groups,{BASE}", ["groupOfNames", "kommunpostGroup"], group)


@pytest.fixture(scope="module")
def listed() -> Organisation:
    return gather(source_of(_files()))


@pytest.fixture(scope="module")
def directory(
    tmp_path_factory: pytest.TempPathFactory, listed: Organisation
) -> Iterator[settings.Directory]:
    folder = tmp_path_factory.mktemp("ldap-source")
    slapd = LocalDirectory(folder)
    slapd.add_schema(WORDS)
    slapd.start()
    loaded = settings.load(slapd.settings(EXAMPLE)).require_directory()
    _fill(loaded, listed)
    yield loaded
    slapd.stop()


@pytest.fixture
def accounts(directory: settings.Directory, listed: Organisation) -> settings.Sources:
    """The organisation from its file, people and PCs from LDAP."""
    server = settings.Accounts(
        kind="ldap",
        uri=directory.uri,
        base=BASE,
        reader_dn=directory.reader_dn,
        reader_password_file=directory.reader_password_file,
        id_attribute="employeeNumber",
        units={unit.name: unit.id for unit in listed.units},
        protected_group=f"cn=skyddade,ou=groups,{BASE}",
    )
    return settings.Sources(organisation=EXAMPLE / "organisation.yml", accounts=server)


def _plan(organisation: Organisation, held: Held | None = None) -> MailboxPlan:
    return make_plan(organisation, DOMAIN, BASE, held or Held(), TODAY, ANSWER_DAYS)


def _told(plan: MailboxPlan) -> dict[str, object]:
    """Give what a plan does, whatever the order in which people were read."""
    changes = (*plan.changes, *plan.groups)
    return {change.mailbox.rdn: (change.action, change.writes, change.reason) for change in changes}


def test_ldap_gives_the_same_plan_as_the_files(accounts, listed):
    """Six hundred people, who come in more than one answer, with owners, names and units."""
    found = gather(source_of(accounts))
    from_files, from_ldap = _plan(listed), _plan(found)
    assert len(listed.people) > 600
    assert _told(from_ldap) == _told(from_files)
    assert from_ldap.records == from_files.records
    assert {
        str(notice.conflict) for notice in set(notices_of(found)) - set(notices_of(listed))
    } == {"account-without-id"}


def test_a_login_that_is_locked_there_suspends_the_mailbox(accounts, directory, listed):
    person = listed.people[7]
    assert person.status is Status.ACTIVE
    change = {"pwdAccountLockedTime": [(ldap3.MODIFY_REPLACE, [LOCKED_FOR_GOOD])]}
    back = {"pwdAccountLockedTime": [(ldap3.MODIFY_DELETE, [])]}
    before = {c.mailbox.rdn.lower(): c.mailbox for c in _plan(listed).changes}
    with connect(directory, "writer") as connection:
        connection.modify(_dn(person.id), change)
        try:
            locked = _plan(gather(source_of(accounts)), Held(before))
        finally:
            connection.modify(_dn(person.id), back)
    changed = {c.mailbox.holder: c.action for c in locked.mailboxes if c.action is not Action.KEEP}
    assert changed[f"person:{person.id}"] is Action.SUSPEND


def test_members_of_a_group_within_the_protected_group_are_protected_too(
    accounts, directory, listed
):
    """P1: a group for each school, say, all in the one that the settings name; or in a circle."""
    inner, within = f"cn=inre,ou=groups,{BASE}", f"cn=skyddade,ou=groups,{BASE}"
    person = next(one for one in listed.people if not one.protected)
    group = {
        "member": [_dn(person.id), within],
        "kommunpostHolder": "x",
        "kommunpostRight": "reader",
    }
    with connect(directory, "writer") as connection:
        connection.add(inner, ["groupOfNames", "kommunpostGroup"], group)
        gone = f"cn=borta,ou=groups,{BASE}"
        connection.modify(within, {"member": [(ldap3.MODIFY_ADD, [inner, gone])]})
        try:
            found = gather(source_of(accounts))
        finally:
            connection.modify(within, {"member": [(ldap3.MODIFY_DELETE, [inner, gone])]})
            connection.delete(inner)
    protected = {one.id for one in listed.people if one.protected} | {person.id}
    assert {one.id for one in found.people if one.protected} == protected


def test_of_a_protected_identity_nothing_but_the_reference_is_planned(accounts, listed):
    protected = [person for person in listed.people if person.protected]
    assert protected
    told = repr(_told(_plan(gather(source_of(accounts)))))
    for person in protected:
        assert person.surname not in told
        assert person.reference in told
