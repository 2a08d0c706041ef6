"""HTTPS to a lab's address under a site's own name, whatever this machine's resolver knows."""

import http.client
import socket
import ssl


class NamedConnection(http.client.HTTPSConnection):
    """Connect to an address, but verify the certificate for the page's own name."""

    def __init__(self, name: str, address: str, tls: ssl.SSLContext) -> None:
        """tls: trusts the installation's CA."""
        super().__init__(name, 443, context=tls, timeout=30)
        self._address, self._tls = address, tls

    def connect(self) -> None:
        """Connect; http.client calls this at the first request."""
        plain = socket.create_connection((self._address, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
