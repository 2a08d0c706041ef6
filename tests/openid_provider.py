"""An OpenID provider of the test's own, in a process of its own, over TLS on loopback."""

import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LOOPBACK = "127.0.0.1"
CLIENT, SECRET = "loggningslistan", "+en hemlighet/~ som ingen kan gissa"
PASSWORD = "kommunens lösenord"


def new_key() -> str:
    """Return a private key, PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class LocalProvider:
    """django-oauth-toolkit as openid_site.py sets it up; issuer is what it calls itself."""

    def __init__(self, folder: Path, site: str, people: list[str]) -> None:
        """site: the log list's address, without a path. people: who has an account there."""
        self.folder, self.certificate = folder, folder / "tls.pem"
        # It listens from here on: who asks before the process is there, waits for it.
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self.issuer = f"https://{LOOPBACK}:{self.port}"
        key = new_key()
        self._certify(key)
        spec = {
            "issuer": self.issuer, "key": key, "client_id": CLIENT, "client_secret": SECRET,
            "redirect_uri": f"{site}/login/single-sign-on/back", "log_out_uri": f"{site}/login",
            "people": people, "password": PASSWORD,
        }  # fmt: skip
        (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait for its first answer."""
        listener = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener}",
             "--keyfile", self.certificate, "--certfile", self.certificate,
             "--timeout", "300", "--log-level", "error", "--preload", "openid_site"],
            env=os.environ | {"OPENID_FOLDER": str(self.folder)},
            cwd=Path(__file__).parent, stdin=subprocess.DEVNULL,
            pass_fds=[listener],
        )  # fmt: skip
        with self._browser() as browser:
            page = browser.get(f"{self.issuer}/.well-known/openid-configuration", timeout=300)
        assert page.json()["issuer"] == self.issuer

    def stop(self) -> None:
        """Stop it for good; nobody listens then."""
        self._listener.close()
        if self._process:
            self._process.terminate()
            self._process.wait()

    def twist(self, **wanted: object) -> None:
        """Let it sign something else: claims to lay over, alg, key (PEM), kid."""
        (self.folder / "twist.json").write_text(json.dumps(wanted), encoding="utf-8")

    def vouch(self, address: str, person: str) -> str:
        """Log a person in, as their browser would at an address; return where it is sent back."""
        with self._browser() as browser:
            page = browser.get(address)
            proof = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert proof, page.text
            given = {"username": person, "password": PASSWORD, "csrfmiddlewaretoken": proof[1]}
            answer = browser.post(
                page.url, given, headers={"Referer": page.url}, allow_redirects=False
            )
            while answer.headers["Location"].startswith("/"):
                address = self.issuer + answer.headers["Location"]
                answer = browser.get(address, allow_redirects=False)
        return answer.headers["Location"]

    def _browser(self) -> requests.Session:
        browser = requests.Session()
        browser.verify, browser.trust_env = str(self.certificate), False
        return browser

    def _certify(self, key_pem: str) -> None:
        """Write a certificate that vouches for itself, with its key."""
        key = serialization.load_pem_private_key(key_pem.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOOPBACK)])
        address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = made.public_bytes(serialization.Encoding.PEM).decode()
        self.certificate.write_text(key_pem + pem, encoding="utf-8")
