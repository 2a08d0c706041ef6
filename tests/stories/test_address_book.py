"""The address book: for those who work here, over TLS, and for nobody else."""

import csv
import ssl
from pathlib import Path

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException

EXAMPLE = Path(__file__).parents[2] / "inventory/example"


@pytest.fixture
def bind(world):
    """Bind over LDAPS with the lab's authority; anonymous without an account."""

    def connect(account=None, password=None) -> ldap3.Connection:
        where = world.service("ldaps")
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=world.facts["ca_file"])
        server = ldap3.Server(where["address"], where["port"], use_ssl=True, tls=tls)
        if account is None:
            return ldap3.Connection(server, auto_bind=True)
        login = f"uid={_uid(world, account)},ou=people,{_base(world)}"
        return ldap3.Connection(server, login, password or account.password, auto_bind=True)

    return connect


def _base(world) -> str:
    return ",".join(f"dc={part}" for part in world.domain.split("."))


def _uid(world, account) -> str:
    return next(p["uid"] for p in world.facts["people"] if p["address"] == account.address)


def test_an_employee_finds_a_colleague(world, bind):
    one, other = world.colleagues(2)
    with bind(one) as connection:
        connection.search(_base(world), f"(mail={other.address})", attributes=["cn", "mail"])
        assert [str(entry.mail) for entry in connection.entries] == [other.address]
        assert str(connection.entries[0].cn) == other.name


def test_nobody_reads_a_colleagues_password(world, bind):
    one = world.colleagues(1)[0]
    with bind(one) as connection:
        connection.search(_base(world), "(userPassword=*)", attributes=["userPassword"])
        found = [e for e in connection.entries if e.entry_attributes_as_dict.get("userPassword")]
    assert found == []


def test_a_stranger_reads_nothing(world, bind):
    try:
        with bind() as connection:
            connection.search(_base(world), "(objectClass=*)", attributes=["cn"])
            assert connection.entries == []
    except LDAPException:
        return  # refused at the door: as good


def test_a_wrong_password_is_refused(world, bind):
    with pytest.raises(LDAPException):
        bind(world.colleagues(1)[0], "fel lösenord")


def test_a_protected_identity_stands_by_no_name(world, bind, kommunpost):
    """P1: neither the address book nor the plan says who it is; only the source does."""
    with (EXAMPLE / "people.csv").open(encoding="utf-8-sig") as file:
        protected = [
            row for row in csv.DictReader(file, delimiter=";") if row["protected"] == "yes"
        ]
    assert len(protected) == 2
    plan = kommunpost("directory", "plan", "--format", "json").stdout
    with bind(world.colleagues(1)[0]) as connection:
        connection.search(_base(world), "(objectClass=inetOrgPerson)", attributes=["*"])
        book = " ".join(entry.entry_to_ldif() for entry in connection.entries)
    assert "Astrid" in plan, "the plan must hold names at all, or this test sees nothing"
    for person in protected:
        assert person["surname"] not in plan
        assert person["surname"] not in book
