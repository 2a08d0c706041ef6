"""The address book: for those who work here, over TLS, and for nobody else."""

import ssl

import ldap3
import pytest
from ldap3.core.exceptions import LDAPException


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
    """P1: neither the address book nor the plan says who it is; the source does."""
    people = (world.sources / "people.csv").read_text(encoding="utf-8-sig")
    protected = world.protected_names(people)
    assert len(protected) == 2
    plan = kommunpost("directory", "plan", "--format", "json").stdout
    with bind(world.colleagues(1)[0]) as connection:
        connection.search(_base(world), "(objectClass=inetOrgPerson)", attributes=["cn", "sn"])
        book = " ".join(f"{entry.cn} {entry.sn}" for entry in connection.entries)
    for name in protected:
        assert name not in plan
        assert name not in book
