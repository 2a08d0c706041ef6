"""The log list over the network, as an official's browser meets it."""

import http.client
import re
import socket
import ssl
import time
import uuid
from urllib.parse import urlencode, urlsplit

import pytest
from named_https import NamedConnection

from lablib.letters import World, letter


class Browser:
    """Keeps cookies, sends the form's token along, and follows no redirect by itself."""

    def __init__(self, world: World) -> None:
        service = world.facts["services"]["log_list"]
        self._host = urlsplit(service["url"]).hostname
        self._address, self._tls = service["address"], world.tls
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.text = ""

    def open(self, path: str, form: dict[str, str] | None = None) -> int:
        """Ask for a page, or send a form; return the status."""
        connection = NamedConnection(self._host, self._address, self._tls)
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        body = None
        if form is not None:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.text)
            assert token, "the page before has a form"
            body = urlencode({"csrfmiddlewaretoken": token[1], **form})
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Referer": f"https://{self._host}/",
            }
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        self.headers = {key.lower(): value for key, value in answer.getheaders()}
        for cookie in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status

    def log_in(self, login: str, password: str) -> int:
        """Log in; return the status."""
        assert self.open("/login") == 200
        return self.open("/login", {"address": login, "password": password})

    def wait_for(self, path: str, text: str, seconds: float = 60) -> None:
        """Open a page again until a text stands in it."""
        deadline = time.monotonic() + seconds
        while self.open(path) != 200 or text not in self.text:
            assert time.monotonic() < deadline, f"{text!r} did not come to {path}"
            time.sleep(0.5)  # a page tells nobody that a row has come


def reader_of(world: World, chosen) -> dict:
    return next(reader for reader in world.facts["log_readers"] if chosen(reader))


@pytest.fixture
def reviewer(world):
    """A reviewer who doesn't read everything."""
    return reader_of(world, lambda one: one["reviews"] and not one["everything"])


def test_a_reviewer_logs_in_with_the_directorys_password_and_sees_their_mail(world, reviewer):
    unit = reviewer["reviews"][0]
    subject = f"Fråga om lekplatsen {uuid.uuid4().hex[:8]}"
    colleague = next(
        person for person in world.facts["people"] if person["unit"] == unit and person["pc"]
    )
    note = letter(world.outsider, colleague["address"], subject)
    world.submit(world.outsider, note)
    world.arrival(world.person(colleague["address"]), note["Message-ID"])
    browser = Browser(world)
    assert browser.log_in(reviewer["login"], reviewer["password"]) == 302
    path = f"/units/{unit}/?" + urlencode({"q": subject})
    browser.wait_for(path, subject)
    browser.wait_for(path, "Levererat")


def test_when_the_web_is_down_each_unit_has_a_copy_of_its_list(world, on_host, reviewer):
    unit = reviewer["reviews"][0]
    colleague = next(one for one in world.facts["people"] if one["unit"] == unit and one["pc"])
    subject = f"Kopian {uuid.uuid4().hex[:8]}"
    note = letter(world.outsider, colleague["address"], subject)
    world.submit(world.outsider, note)
    world.arrival(world.person(colleague["address"]), note["Message-ID"])
    browser = Browser(world)
    browser.log_in(reviewer["login"], reviewer["password"])
    browser.wait_for(f"/units/{unit}/?" + urlencode({"q": subject}), subject)
    on_host("mail", "systemctl start kommunpost-log-list-copy.service")
    found = on_host("mail", f"grep -l '{subject}' /var/lib/kommunpost-log-list/*.html")
    assert f"/{unit}.html" in found


def test_another_units_list_is_not_theirs(world, reviewer):
    every = {unit for one in world.facts["log_readers"] for unit in one["units"]}
    browser = Browser(world)
    browser.log_in(reviewer["login"], reviewer["password"])
    for unit in sorted(every - set(reviewer["units"]))[:3]:
        for page in ("", "export.csv", "export.xlsx"):
            assert browser.open(f"/units/{unit}/{page}") == 404


def test_whoever_reviews_nothing_and_a_wrong_password_see_nothing(world, reviewer):
    official = next(
        person
        for person in world.facts["people"]
        if person["login"] not in {one["login"] for one in world.facts["log_readers"]}
    )
    browser = Browser(world)
    assert browser.log_in(official["login"], official["password"]) == 302
    assert browser.open(f"/units/{reviewer['units'][0]}/") == 404
    assert Browser(world).log_in(reviewer["login"], "fel lösenord") == 400


def test_the_executive_office_sees_who_has_read(world, reviewer):
    Browser(world).log_in(reviewer["login"], reviewer["password"])
    other = Browser(world)
    other.log_in(reviewer["login"], reviewer["password"])
    assert other.open(f"/units/{reviewer['units'][0]}/?q=sommarfesten") == 200
    assert other.open("/trail/") == 404
    office = reader_of(world, lambda one: one["everything"])
    browser = Browser(world)
    browser.log_in(office["login"], office["password"])
    assert browser.open(f"/trail/{reviewer['units'][0]}/") == 200
    assert "sommarfesten" in browser.text


def test_the_log_list_is_served_by_https_alone_with_strict_headers(world):
    service = world.facts["services"]["log_list"]
    name = urlsplit(service["url"]).hostname
    plain = http.client.HTTPConnection(service["address"], 80, timeout=30)
    plain.request("GET", "/login", headers={"Host": name})
    answer = plain.getresponse()
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{name}/login")
    browser = Browser(world)
    assert browser.open("/login") == 200
    assert "max-age=31536000" in browser.headers["strict-transport-security"]
    assert "default-src 'none'" in browser.headers["content-security-policy"]
    style = re.search(r'href="(/static/[^"]+)"', browser.text)
    assert style
    assert browser.open(style[1]) == 200
    assert browser.open("/health") == 200


def test_an_old_tls_is_refused(world):
    service = world.facts["services"]["log_list"]
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    plain = socket.create_connection((service["address"], 443), 30)
    with plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname=urlsplit(service["url"]).hostname)
