"""The log list over the network, as an official's browser meets it."""

import http.client
import re
import socket
import ssl
import uuid
from urllib.parse import urlencode, urlsplit

import pytest
from log_list_browser import Browser, reader_of

from lablib.letters import letter


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
