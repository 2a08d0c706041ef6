"""The log list while a part of it is away: people are told in Swedish, and go on afterwards."""

from urllib.parse import urlsplit

import pytest
from log_list_browser import Browser, reader_of
from named_https import NamedConnection

DATABASE = "postgresql@17-main.service"
APPLICATION = ("kommunpost-log-list.socket", "kommunpost-log-list.service")


@pytest.fixture
def visit(world):
    """Return a browser in which a reviewer has logged in, and where their list is."""
    reviewer = reader_of(world, lambda one: one["reviews"] and not one["everything"])
    browser = Browser(world)
    assert browser.log_in(reviewer["login"], reviewer["password"]) == 302
    return browser, f"/units/{reviewer['reviews'][0]}/"


def test_without_its_database_it_says_so_and_goes_on_afterwards(visit, on_host, stopped):
    browser, path = visit
    assert browser.open(path) == 200
    stopped(DATABASE)
    for place in (path, "/login", "/overview/", "/health"):
        assert browser.open(place) == 503
        assert "Loggningslistan kan inte svara just nu" in browser.text
        assert browser.headers["retry-after"] == "60"
        assert "default-src 'none'" in browser.headers["content-security-policy"]
    on_host("mail", f"systemctl start {DATABASE}")
    assert browser.open(path) == 200, "nobody has to log in anew"


def test_while_it_is_started_anew_the_web_server_says_so(visit, on_host, stopped):
    browser, path = visit
    stopped(*APPLICATION)
    assert browser.open(path) == 503
    assert "Den startas om eller håller på att uppdateras" in browser.text
    assert "It is being started anew" in browser.text
    assert "default-src 'none'" in browser.headers["content-security-policy"]
    on_host("mail", f"systemctl start {' '.join(APPLICATION)}")
    assert browser.open(path) == 200


def test_a_file_that_is_too_large_is_told_before_it_is_sent(world):
    service = world.facts["services"]["log_list"]
    connection = NamedConnection(urlsplit(service["url"]).hostname, service["address"], world.tls)
    connection.putrequest("POST", "/diary/")
    connection.putheader("Content-Length", str(51 << 20))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "högst 50 MB" in answer.read().decode()
    connection.close()
