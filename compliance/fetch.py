"""Fetches what the municipality publishes, over TLS as anybody would."""

import http.client
import socket
import ssl
from urllib.parse import SplitResult, quote, urlsplit

from compliance.settings import Publication

_TIMEOUT = 20.0
_LARGEST = 20_000_000
_KEPT = "/%:@!$&'()*+,;=?"  # in a path or a query these stand for themselves, RFC 3986 3.3 and 3.4


def fetch(url: str, settings: Publication) -> tuple[int, bytes]:
    """Return status and body of a page; the certificate must be its host's.

    settings: says where the host is, if DNS doesn't. Raises OSError or http.client.HTTPException,
    ValueError for an address that is none.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    context = ssl.create_default_context(cafile=settings.ca_file)
    with (
        socket.create_connection(
            (address_of(url, settings), parts.port or 443), timeout=_TIMEOUT
        ) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        connection = http.client.HTTPConnection(host, timeout=_TIMEOUT)
        connection.sock = secured
        connection.request("GET", _target(parts), headers={"User-Agent": "kommunpost"})
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST)


def address_of(url: str, settings: Publication) -> str:
    """Return the address, or the name for DNS, that a page is asked for at."""
    host = urlsplit(url).hostname or ""
    return settings.addresses.get(host, host)


def _target(parts: SplitResult) -> str:
    """Return what is asked for: path and query, with letters beyond ASCII written out."""
    query = f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
    return (quote(parts.path, safe=_KEPT.rstrip("?")) or "/") + query
