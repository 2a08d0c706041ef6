"""A page is asked for as its address says, whatever signs stand in it."""

import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from compliance.fetch import fetch
from compliance.settings import Publication

NAME = "intranet.sjovalla.example"


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked for."""

    def do_GET(self):
        body = self.path.encode("ascii")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing of requests."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A web server under a name; its port and certificate."""
    folder = tmp_path_factory.mktemp("site")
    certificate, key = folder / "site.pem", folder / "site.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj",
         "/CN=test", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    server = HTTPServer(("127.0.0.1", 0), Echo)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, certificate
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("/strategi", "/strategi"),
        ("", "/"),
        ("/sida?id=12&spr%C3%A5k=sv", "/sida?id=12&spr%C3%A5k=sv"),
        ("?sida=12", "/?sida=12"),
        ("/styrdokument/strategi för e-post", "/styrdokument/strategi%20f%C3%B6r%20e-post"),
        ("/strategi%20f%C3%B6r?vy=öppen#datum", "/strategi%20f%C3%B6r?vy=%C3%B6ppen"),
    ],
)
def test_the_page_that_the_address_names_is_asked_for(site, written, asked):
    port, certificate = site
    url = f"https://{NAME}:{port}{written}"
    settings = Publication(
        intranet_url=url, public_url=url, ca_file=certificate, addresses={NAME: "127.0.0.1"}
    )
    assert fetch(url, settings) == (200, asked.encode())
