"""The certificate that every service on a host shows, seen from the control machine."""

import socket
import ssl

import pytest
from servers import MUNICIPAL, Server

GROUPS = MUNICIPAL
TLS_PORTS = {443, 465, 636, 993}


def _names(server: Server, port: int) -> list[str]:
    if port == 443:
        return [f"{name}.{server.domain}" for name in ("intranet", "www", "loggningslista")]
    return [server.variables["host_fqdn"], server.address]


def _context(server: Server) -> ssl.SSLContext:
    """Trust the installation's CA alone, and be as strict as Python 3.13 is by default."""
    context = ssl.create_default_context(cafile=f"{server.variables['secrets_dir']}/ca/ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def _ports(server: Server) -> list[int]:
    return sorted(TLS_PORTS & {row["port"] for row in server.expected("ports")})


def _version(server: Server, port: int, name: str, context: ssl.SSLContext) -> str | None:
    with (
        socket.create_connection((server.address, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.version()


def test_every_tls_port_shows_a_certificate_for_its_names(server: Server) -> None:
    for port in _ports(server):
        for name in _names(server, port):
            assert _version(server, port, name, _context(server)) == "TLSv1.3"


def test_tls_before_1_2_is_refused(server: Server) -> None:
    for port in _ports(server):
        context = _context(server)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or this side would refuse first
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            _version(server, port, _names(server, port)[0], context)
