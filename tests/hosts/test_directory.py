"""What the directory tells to whom."""

import shlex
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
import pytest
import yaml
from servers import Server

GROUPS = ["directory"]
RULES = yaml.safe_load(Path(__file__).with_name("access.yml").read_text())


def _base(server: Server) -> str:
    return "dc=" + server.domain.replace(".", ",dc=")


def _connect(server: Server, who: str | None = None, password: str | None = None) -> Any:
    ca_file = f"{server.variables['secrets_dir']}/ca/ca.pem"
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca_file)
    address = ldap3.Server(server.address, 636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    return ldap3.Connection(address, who, password)


def _bind_name(server: Server, who: str) -> str:
    kind = f"uid={who}-else,ou=people" if who == "person" else f"cn={who},ou=services"
    return f"{kind},{_base(server)}"


def _answers(server: Server, who: str, entry: str, asked: dict[str, str], *more: str) -> dict:
    """Return slapd's own judgement of each `attribute/right`: ALLOWED or DENIED."""
    name = [] if who == "nobody" else ["-D", _bind_name(server, who)]
    command = ["slapacl", "-F", "/etc/ldap/slapd.d", *more, *name, "-b", entry, *asked]
    # It says "read access to mail: ALLOWED", on the error stream.
    said = dict(
        line.rsplit(": ", 1)
        for line in server.lines(shlex.join(command) + " 2>&1")
        if " access to " in line
    )
    return {
        question: said.get("{1} access to {0}".format(*question.split("/"))) for question in asked
    }


def _asked(rule: dict[str, Any]) -> dict[str, str]:
    allowed = dict.fromkeys(rule.get("allowed", []), "ALLOWED")
    return {**allowed, **dict.fromkeys(rule.get("refused", []), "DENIED")}


@pytest.mark.parametrize(
    "rule", RULES["rules"], ids=lambda rule: f"{rule['who']}-{rule['of'].split(',')[0]}"
)
def test_access_is_as_wide_as_it_must_be_and_no_wider(server: Server, rule: dict[str, Any]) -> None:
    entry = rule["of"].format(base=_base(server))
    asked = _asked(rule)
    assert _answers(server, rule["who"], entry, asked, "-u") == asked


@pytest.fixture(scope="module")
def protected(server: Server) -> Iterator[str]:
    """A person with protected identity, without a mailbox, there for these tests only."""
    name = f"uid=access-test,ou=people,{_base(server)}"
    person = {
        "cn": "Test", "sn": "Test", "kommunpostHolder": "person:access-test",
        "kommunpostReference": "TEST",
    }  # fmt: skip
    writer = _connect(server, _bind_name(server, "writer"), server.secret("ldap-writer"))
    assert writer.bind()
    writer.delete(name)  # what a run that was cut off left
    assert writer.add(name, ["inetOrgPerson", "kommunpostMailbox"], person), writer.result
    yield name
    assert writer.delete(name)


@pytest.mark.parametrize("rule", RULES["protected"], ids=lambda rule: rule["who"])
def test_a_protected_person_is_in_nobodys_address_book(
    server: Server, protected: str, rule: dict[str, Any]
) -> None:
    asked = _asked(rule)
    assert _answers(server, rule["who"], protected, asked) == asked


def test_nobody_reads_without_a_login(server: Server) -> None:
    connection = _connect(server)
    connection.open()
    connection.search(_base(server), "(objectClass=*)", attributes=["mail"])
    assert connection.result["description"] == "unwillingToPerform"
    assert connection.response in (None, [])


def test_an_empty_password_is_no_login(server: Server) -> None:
    connection = _connect(server)
    connection.open()
    assert not connection.bind()


def test_there_is_no_port_for_plain_ldap(server: Server) -> None:
    with pytest.raises(OSError, match=r"timed out|refused"):
        socket.create_connection((server.address, 389), timeout=2).close()


def test_plain_ldap_is_refused_even_where_it_is_opened(server: Server) -> None:
    """The security strength that slapd asks for holds whatever it listens to."""
    settings = server.host.check_output("slapcat -n 0 -a '(olcSecurity=*)'")
    assert "olcSecurity: ssf=128" in settings


def test_a_short_password_and_a_foreign_hash_are_refused(server: Server) -> None:
    name = f"uid=password-test,ou=people,{_base(server)}"
    person = {"cn": "Test", "sn": "Test", "kommunpostHolder": "person:password-test"}
    writer = _connect(server, _bind_name(server, "writer"), server.secret("ldap-writer"))
    assert writer.bind()
    for password in ["kort", "{SSHA}GVZuyhcWnLcvkcLWSNkDhFbDNDyAsPvl"]:
        writer.add(
            name, ["inetOrgPerson", "kommunpostMailbox"], {**person, "userPassword": password}
        )
        refused = writer.result["description"]
        writer.delete(name)
        assert refused == "constraintViolation"
