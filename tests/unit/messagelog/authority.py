"""A time-stamping authority (RFC 3161) for tests: real answers by `openssl ts -reply`.

No authority can be reached from a test, and none should be trusted that is made here: this one
proves that our side speaks the protocol, nothing about anybody's clock.
"""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamp]
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = tsa_one
[tsa_one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
certs = {folder}/ca.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.0.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """Answers on a port of loopback while the `with` block runs. altered: spoil each answer."""

    def __init__(self, folder):
        self.folder = folder
        self.altered = False
        self.config = folder / "openssl.cnf"
        self.config.write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01")
        self._make("ca", "ca", "-x509", "-days", "3650")
        self._make("tsa", "stamp", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key")

    @property
    def ca_file(self):
        return self.folder / "ca.pem"

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/"

    def _make(self, name, extensions, *more):
        self._openssl(
            "req", "-config", self.config, "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-noenc", "-subj", f"/CN={name}", "-extensions", extensions,
            "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem", *more,
        )  # fmt: skip

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def answer(self, query):
        (self.folder / "query").write_bytes(query)
        self._openssl(
            "ts", "-reply", "-config", self.config, "-section", "tsa_one",
            "-queryfile", self.folder / "query", "-out", self.folder / "answer",
        )  # fmt: skip
        answer = (self.folder / "answer").read_bytes()
        return answer[:-5] + b"xxxxx" if self.altered else answer

    def __enter__(self):
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                assert self.headers["Content-Type"] == "application/timestamp-query"
                body = authority.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
