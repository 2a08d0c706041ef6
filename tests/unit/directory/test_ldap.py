"""The way to the directory: only over TLS that holds, and with errors that a user can mend."""

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from compliance.directory.ldap import connect
from compliance.errors import UserError
from compliance.settings import Directory

LOOPBACK = "127.0.0.1"


def _certificate(path: Path, *names: x509.GeneralName) -> Path:
    """Write a certificate that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOOPBACK)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def server() -> Iterator[Callable[[Path], int]]:
    """A server that shakes hands once and hangs up: enough to judge its certificate by."""
    listeners = []

    def serve(certificate: Path) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener = socket.create_server((LOOPBACK, 0))
        listener.settimeout(10)
        listeners.append(listener)

        def once() -> None:
            with suppress(OSError):  # the client may refuse the certificate
                context.wrap_socket(listener.accept()[0], server_side=True).close()

        threading.Thread(target=once, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    for listener in listeners:
        listener.close()


def _settings(tmp_path: Path, uri: str, ca_file: Path | None = None) -> Directory:
    secret = tmp_path / "secret"
    secret.write_text("hemligt\n")
    return Directory(
        uri=uri,
        base="dc=sjovalla,dc=example",
        ca_file=ca_file,
        reader_dn="cn=auditor,ou=services,dc=sjovalla,dc=example",
        reader_password_file=secret,
    )


def _refusal(directory: Directory, role: str = "reader") -> str:
    with pytest.raises(UserError) as caught, connect(directory, role):
        pass
    assert caught.value.problems[0].remedy
    return caught.value.problems[0].what


def test_an_address_that_the_certificate_names_is_accepted(tmp_path, server):
    certificate = _certificate(
        tmp_path / "good.pem", x509.IPAddress(ipaddress.ip_address(LOOPBACK))
    )
    port = server(certificate)
    # The handshake is done and the bind finds nobody there, which is another complaint.
    told = _refusal(_settings(tmp_path, f"ldaps://{LOOPBACK}:{port}", certificate))
    assert "certificate" not in told
    assert "cannot be reached" in told


def test_a_certificate_for_another_host_is_refused(tmp_path, server):
    """Its common name fits, which counts for nothing."""
    certificate = _certificate(tmp_path / "other.pem", x509.DNSName("mail.omvarlden.example"))
    port = server(certificate)
    told = _refusal(_settings(tmp_path, f"ldaps://{LOOPBACK}:{port}", certificate))
    assert "certificate does not fit: IP address mismatch" in told


def test_a_certificate_of_an_unknown_issuer_is_refused(tmp_path, server):
    address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
    port = server(_certificate(tmp_path / "one.pem", address))
    other = _certificate(tmp_path / "two.pem", address)
    told = _refusal(_settings(tmp_path, f"ldaps://{LOOPBACK}:{port}", other))
    assert "certificate does not fit" in told


def test_a_ca_file_that_is_missing_is_told(tmp_path):
    told = _refusal(_settings(tmp_path, f"ldaps://{LOOPBACK}:1", tmp_path / "none.pem"))
    assert "CA certificate cannot be read" in told


def test_nobody_there_is_told(tmp_path):
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
    certificate = _certificate(tmp_path / "c.pem", x509.DNSName("a.example"))
    told = _refusal(_settings(tmp_path, f"ldaps://{LOOPBACK}:{port}", certificate))
    assert "Connection refused" in told


def test_passwords_are_never_sent_in_the_clear(tmp_path):
    assert "in the clear" in _refusal(_settings(tmp_path, f"ldap://{LOOPBACK}:389"))


def test_a_host_without_the_writers_secret_cannot_write(tmp_path):
    directory = _settings(tmp_path, f"ldaps://{LOOPBACK}:1")
    assert "may only read" in _refusal(directory, "writer")
