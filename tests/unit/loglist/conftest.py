"""A log list over a real PostgreSQL, with a directory that the tests say the answers of."""

import json
import os

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from messagelog.conftest import entry, new_log, server  # noqa: F401
from messagelog.test_reading import HOST, OUTBOX, traffic

from compliance.directory.log_readers import LogReader

from .archived_mail import archived, enter  # noqa: F401 - fixtures
from .desk import KEY

# The review's tests have a unit of their own, to whose mail they add.
UNITS = {
    "bun": "Barn- och utbildningsnämnden",
    "ks": "Kommunstyrelsen",
    "sbn": "Samhällsbyggnadsnämnden",
}
PASSWORD = "rätt lösenord"


def account(number, *units, reviews=None, everything=False):
    return LogReader(
        dn=f"uid={number},ou=people",
        id=f"person:{number}",
        name=f"Person {number}",
        units={unit: UNITS[unit] for unit in units},
        reviews=frozenset(units if reviews is None else reviews),
        everything=everything,
    )


ACCOUNTS = {
    "ks@sjovalla.example": account("1", "ks"),
    "bun@sjovalla.example": account("2", "bun"),
    "bada@sjovalla.example": account("3", "ks", "bun"),
    "ingen@sjovalla.example": account("4"),
    "chef@sjovalla.example": account("5", "ks", "bun", reviews=["ks"], everything=True),
    "forvaltningschef@sjovalla.example": account("6", "bun", reviews=[]),
    "sbn@sjovalla.example": account("7", "sbn"),
    "ersattare@sjovalla.example": account("8", "sbn"),
    "sbnchef@sjovalla.example": account("9", "sbn", reviews=[]),
}


@pytest.fixture(scope="session")
def installation(new_log, entry, tmp_path_factory):  # noqa: F811
    """Make the log with its traffic, the settings, and Django on them."""
    dsn = new_log()
    folder = tmp_path_factory.mktemp("loglist")
    (folder / "secret").write_text("hemligt" * 8, encoding="utf-8")
    (folder / "seal.pem").write_bytes(
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (folder / "kommunpost.yml").write_text(
        f"""
municipality: {{name: Sjövalla kommun, domain: sjovalla.example}}
directory: {{uri: "ldapi:///", base: "dc=x", reader_dn: "cn=x", reader_password_file: /x}}
seal: {{public_key_file: {folder}/seal.pem}}
sender:
  host: localhost
  port: 1
  address: kommunpost@sjovalla.example
  login: kommunpost@sjovalla.example
  password_file: {folder}/secret
loglist:
  hosts: [loggningslista.intranat.sjovalla.example]
  secret_key_file: {folder}/secret
  negligible: [{{id: reklam, text: Reklam, decision: KS 2026/41}}]
  web: {{dsn: "{dsn("web")}"}}
  login: {{dsn: "{dsn("login")}"}}
  archive_socket: {folder}/archive.socket
""",
        encoding="utf-8",
    )
    with psycopg.connect(dsn("writer"), autocommit=True) as writer:
        writer.execute("SELECT log.append(%s, %s, %s)", [OUTBOX, HOST, json.dumps(traffic(entry))])
    os.environ["KOMMUNPOST_CONFIG"] = str(folder / "kommunpost.yml")
    os.environ["DJANGO_SETTINGS_MODULE"] = "compliance.loglist.django_settings"
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    as_web = settings.DATABASES["default"]["USER"]
    settings.DATABASES["default"]["USER"] = "kommunpost_owner"
    connections["default"].settings_dict["USER"] = "kommunpost_owner"
    call_command("migrate", verbosity=0)
    connections["default"].close()
    connections["default"].settings_dict["USER"] = as_web
    yield dsn
    connections.close_all()
    del os.environ["KOMMUNPOST_CONFIG"]


@pytest.fixture
def own_numbers(installation, monkeypatch, tmp_path):
    """Let the municipality write its diary numbers in its own way."""
    from django.conf import settings

    path = tmp_path / "diary.yml"
    path.write_text(
        "columns: {number: A, day: B, party: C, subject: D, restriction: none}\n"
        "numbers: {authorities: [MILJÖNB, BYGGLOVN], patterns: ['{serial}/{yy}'], dot: document}\n",
        encoding="utf-8",
    )
    mapped = settings.LOGLIST.model_copy(update={"diary_mapping": path})
    monkeypatch.setattr(settings, "LOGLIST", mapped)
    return path


@pytest.fixture
def visit(installation, monkeypatch):
    """Return a browser, logged in as an account."""
    from django.test import Client

    from compliance.directory import function_mailboxes
    from compliance.loglist import context, login

    def identify(address, password):
        return ACCOUNTS.get(address) if password == PASSWORD else None

    monkeypatch.setattr(login, "identify", identify)
    monkeypatch.setattr(context, "unit_names", lambda: dict(sorted(UNITS.items())))
    monkeypatch.setattr(function_mailboxes, "of_unit", lambda *_: {})

    def open_as(name=None):
        browser = Client(
            HTTP_HOST="loggningslista.intranat.sjovalla.example",
            HTTP_X_FORWARDED_PROTO="https",
        )
        if name:
            answer = browser.post(
                "/login", {"address": f"{name}@sjovalla.example", "password": PASSWORD}
            )
            assert answer.status_code == 302, answer.content.decode()
        return browser

    return open_as
