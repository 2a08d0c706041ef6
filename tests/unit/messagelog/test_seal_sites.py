"""From the control machine the log is held against what the municipality's sites show."""

# ruff: noqa: F811 - fixtures of test_seal_store.py

import json
import ssl
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from test_seal_store import configured, seal, ship, tamper, week  # noqa: F401

NAMES = ("intranet.sjovalla.example", "www.sjovalla.example")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing of requests."""


@pytest.fixture
def site(tmp_path):
    """A web server for both names; its folder and what the settings say of it."""
    certificate = tmp_path / "site.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", "subjectAltName=" + ",".join(f"DNS:{n}" for n in NAMES),
         "-keyout", str(tmp_path / "site.key"), "-out", str(certificate)],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    folder = tmp_path / "site"
    (folder / "epoststrategi").mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "site.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    urls = [f"https://{name}:{server.server_port}/epoststrategi" for name in NAMES]
    yield (
        folder / "epoststrategi" / "logg",
        {
            "intranet_url": urls[0],
            "public_url": urls[1],
            "ca_file": str(certificate),
            "addresses": dict.fromkeys(NAMES, "127.0.0.1"),
        },
    )
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def verify(configured, site):
    """Seal and publish; then verify without a folder of published statements."""
    folder, publication = site

    def run(*words):
        return configured("reader", "verify", *words, published=None, publication=publication)

    configured("sealer", "seal")
    configured("publisher", "publish", published=str(folder))
    return run


def test_the_last_statement_shown_stands_for_all(week, verify, tamper):
    result = verify()
    assert result.exit_code == 0, result.output
    assert result.output.count("held against the last statement that https://") == 2
    tamper("DELETE FROM log.statement WHERE number = (SELECT max(number) FROM log.statement)")
    result = verify()
    assert result.exit_code == 1
    assert "a published statement is not in the log" in result.output
    result = verify("--unit", "ks", "--day", "2026-11-23")
    assert result.exit_code == 1
    assert "a published statement is not in the log" in result.output


def test_a_machine_reads_the_same(week, verify, tamper):
    words = (), ("--unit", "ks", "--day", "2026-11-23")
    for told in (json.loads(verify(*more, "--json").output) for more in words):
        assert (told["holds"], told["findings"]) == (True, [])
        assert sum("last statement that https://" in one for one in told["held_against"]) == 2
    assert {"unit": "ks", "day": "2026-11-23", "statement": 1}.items() <= told.items()
    tamper("UPDATE log.entry SET subject = 'ändrad'")
    for more in words:
        result = verify(*more, "--json")
        told = json.loads(result.output)
        assert (result.exit_code, told["holds"]) == (1, False)
        assert {one["kind"] for one in told["findings"]} == {"altered"}


def test_a_statement_that_the_page_no_longer_names_is_asked_for_too(week, verify, tamper, site):
    """The log's end was cut, and the page with it; the file still lies there."""
    folder, _ = site
    verify()
    (last,) = sorted(folder.glob("0*.json"))[-1:]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert last.name in page
    tamper("DELETE FROM log.statement WHERE number = (SELECT max(number) FROM log.statement)")
    (folder / "index.html").write_text(page.replace(last.name, "annat"), encoding="utf-8")
    result = verify()
    assert result.exit_code == 1
    assert "a published statement is not in the log" in result.output
    (folder / "index.html").write_text("<p>Ingen dag", encoding="utf-8")
    tamper("DELETE FROM log.leaves")
    tamper("DELETE FROM log.statement")
    assert "a published statement is not in the log" in verify().output


def test_a_file_with_another_statement_than_its_name_says_is_told(week, verify, site):
    folder, _ = site
    verify()
    first, *_, last = sorted(folder.glob("0*.json"))
    last.write_bytes(first.read_bytes())
    assert verify().output.count("which cannot be read: it is statement 1") == 2


def test_a_site_that_does_not_show_it_is_told(week, verify, site):
    folder, _ = site
    folder.rename(folder.with_name("annat"))
    result = verify()
    assert result.exit_code == 0
    assert "logg/, which cannot be read: https://" in result.output
    assert "is answered with status 404" in result.output
    folder.mkdir()
    (folder / "index.html").write_text("<p>Ingen dag", encoding="utf-8")
    assert verify().output.count("logg/ shows no statement yet") == 2
    (folder / "index.html").write_text('<a href="00000009.json">', encoding="utf-8")
    (folder / "00000009.json").write_text("[]", encoding="utf-8")
    assert verify().output.count("which cannot be read") == 2
