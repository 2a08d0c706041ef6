"""The one way to OpenLDAP: verified TLS, time-outs, and errors that a user can mend."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from sys import intern
from typing import Any, Literal

import ldap3
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPCommunicationError,
    LDAPException,
    LDAPInvalidCredentialsResult,
    LDAPOperationResult,
    LDAPSizeLimitExceededResult,
)

from compliance import settings
from compliance.errors import UserError

CONNECT_SECONDS = 10
ANSWER_SECONDS = 60
PAGE = 500  # entries an answer; Active Directory gives at most 1000

# ldap3 ships no types; a connection is its `Connection`.
Connection = Any


# As whom to bind: the reader sees everything but passwords, the writer may change it.
Role = Literal["reader", "writer"]


@contextmanager
def connect(directory: settings.Directory, role: Role) -> Iterator[Connection]:
    """Bind to the directory and unbind at the end.

    Every failing operation raises; inside the block and in binding, what ldap3 raises becomes a
    UserError that names the server.
    """
    with _told(directory.uri):
        connection = _bind(directory, *_identity(directory, role))
        try:
            yield connection
        finally:
            connection.unbind()


@contextmanager
def connect_source(accounts: settings.Server) -> Iterator[Connection]:
    """Bind to the municipality's own directory as its reader; else as `connect`."""
    with _told(accounts.uri):
        secret = settings.read_secret(accounts.reader_password_file)
        connection = _bind(accounts, accounts.reader_dn, secret)
        try:
            yield connection
        finally:
            connection.unbind()


def search(
    connection: Connection,
    base: str,
    condition: str,
    attributes: Iterable[str],
    scope: Literal["SUBTREE", "LEVEL"] = "SUBTREE",
) -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """Give the DN of every entry that fits, and those of the attributes that it has.

    Page by page, so what ldap3 raises may come after the first entries.
    """
    found = connection.extend.standard.paged_search(
        base,
        condition,
        search_scope=scope,
        attributes=[*attributes],
        paged_size=PAGE,
        generator=True,
    )
    for answer in found:
        if answer["type"] == "searchResEntry":
            yield answer["dn"], answer["raw_attributes"]


def password_holds(server: "Server", dn: str, password: str) -> bool:
    """Say whether an entry's password is this one, by binding with it. Raises UserError.

    No password is nobody's: servers take a bind without one for an anonymous one and say yes
    (RFC 4513 5.1.2).
    """
    if not password:
        return False
    with _told(server.uri):
        try:
            _bind(server, dn, password).unbind()
        except LDAPInvalidCredentialsResult:
            return False
        return True


def _identity(directory: settings.Directory, role: Role) -> tuple[str, str]:
    """Give the DN and the password of a role. Raises UserError if this host may not have it."""
    if role == "reader":
        return directory.reader_dn, settings.read_secret(directory.reader_password_file)
    if directory.writer_dn is None or directory.writer_password_file is None:
        raise UserError.of(
            "this host may only read the directory",
            f"{settings.settings_path()}: directory",
            "set writer_dn and writer_password_file, or run this on the control machine",
        )
    return directory.writer_dn, settings.read_secret(directory.writer_password_file)


Server = settings.Directory | settings.Server


def _bind(directory: Server, dn: str, password: str) -> Connection:
    # The bare form means the distribution's own socket; ldap3 wants it spelt out.
    uri = "ldapi:///run/slapd/ldapi" if directory.uri == "ldapi:///" else directory.uri
    server = ldap3.Server(uri, connect_timeout=CONNECT_SECONDS, get_info=ldap3.NONE)
    if directory.uri.startswith("ldaps://"):
        server.tls = _VerifiedTls(directory)
    elif not directory.uri.startswith("ldapi://"):
        raise UserError.of(
            f"{directory.uri} would send passwords in the clear",
            f"{settings.settings_path()}: uri",
            "write ldaps://HOST:636, or ldapi:/// on the directory's own host",
        )
    connection = ldap3.Connection(
        server,
        user=dn,
        password=password,
        auto_referrals=False,
        check_names=False,
        raise_exceptions=True,
        receive_timeout=ANSWER_SECONDS,
        # Else ldap3 would fill in each attribute that an entry lacks.
        return_empty_attributes=False,
    )
    connection.strategy.decode_response_fast = _Decoder(connection.strategy.decode_response_fast)
    connection.bind()  # the socket is TLS from its first byte
    return connection


class _Decoder:
    """Makes entries of the answers, as bytes alone: `dn` and `raw_attributes`.

    ldap3 makes each value twice, as bytes and as text, and asks its own settings anew for each:
    more than half of the time that reading a large tree took.
    """

    _ENTRY = 4  # SearchResultEntry, RFC 4511 4.5.2

    def __init__(self, usual: Callable[[Any], dict[str, Any]]) -> None:
        self._usual = usual

    def __call__(self, message: Any) -> dict[str, Any]:
        """Make a dictionary of an answer as ldap3 has taken it out of BER; ldap3 calls this."""
        if message["protocolOp"] != self._ENTRY or message["controls"]:
            return self._usual(message)
        (*_, raw_dn), (*_, listed) = message["payload"]
        raw = {
            intern(name[3].decode()): [value[3] for value in values[3]]
            for *_, (name, values) in listed
        }
        if any(";range=" in name for name in raw):  # Active Directory's way; ldap3 asks for more
            return self._usual(message)
        dn = raw_dn.decode()
        return {"type": "searchResEntry", "raw_dn": raw_dn, "dn": dn, "raw_attributes": raw}


class _VerifiedTls:
    """Stands in for ldap3's own TLS object, and lets OpenSSL hold the certificate to the host.

    ldap3 compares names by itself and from Python 3.12 on knows no IP addresses; its comparison
    also takes the common name, which RFC 6125 has done away with.
    """

    def __init__(self, directory: Server) -> None:
        try:
            self._context = ssl.create_default_context(cafile=directory.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise UserError.of(
                f"the CA certificate cannot be read ({error})",
                str(directory.ca_file),
                "give the PEM file of the CA that issued the directory's certificate",
            ) from error

    def wrap_socket(self, connection: Connection, do_handshake: bool = True) -> None:  # noqa: ARG002
        """Do the handshake on a connected socket; ldap3 calls this."""
        connection.socket = self._context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turn what ldap3 raises into a UserError."""
    try:
        yield
    except LDAPInvalidCredentialsResult as error:
        raise UserError.of(
            "the directory refuses our name or password",
            uri,
            "check the DN in the settings and the secret's file; if it is Kommunpost's own "
            "directory, run playbooks/site.yml again",
        ) from error
    except LDAPSizeLimitExceededResult as error:
        raise UserError.of(
            "the directory does not give us all entries",
            uri,
            "lift the size limit for our name (olcLimits); the role `directory` does so",
        ) from error
    except (TimeoutError, LDAPCommunicationError, LDAPBindError) as error:
        raise _unreachable(_reason(error), uri) from error
    except LDAPOperationResult as error:
        raise UserError.of(
            f"the directory refuses: {error.description}"
            + (f" ({error.message})" if error.message else ""),
            f"{uri}: {error.dn}" if error.dn else uri,
            "run playbooks/site.yml if the schema or the access rules are older than this program",
        ) from error
    except LDAPException as error:
        raise UserError.of(f"the directory cannot be used ({_reason(error)})", uri) from error


def _unreachable(reason: str, uri: str) -> UserError:
    """Tell a certificate that does not fit from a server that does not answer."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        fault = reason.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return UserError.of(
            f"the directory's certificate does not fit: {fault}",
            uri,
            "let uri name the host as its certificate does, and ca_file the CA that issued it",
        )
    return UserError.of(
        f"the directory cannot be reached ({reason})",
        uri,
        "check that slapd runs there and that the port is open from here",
    )


def _reason(error: BaseException) -> str:
    """Give one line; ldap3 sometimes packs a list of earlier errors into one."""
    return " ".join(str(error).split())[:200] or type(error).__name__
