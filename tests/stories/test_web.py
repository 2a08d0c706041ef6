"""The strategy is published twice: on the intranet and for everybody, the same bytes."""

import hashlib
import http.client
from urllib.parse import urlsplit

import pytest
from named_https import NamedConnection

PAGES = ["intranet", "website"]


def _get(world, url: str, *, plain: bool = False) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    address = world.facts["hosts"]["mail"]["address"]
    if plain:
        connection = http.client.HTTPConnection(address, 80, timeout=30)
    else:
        connection = NamedConnection(parts.hostname, address, world.tls)
    connection.request("GET", parts.path or "/", headers={"Host": parts.hostname})
    answer = connection.getresponse()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def test_both_pages_are_the_same_document(world):
    answers = [_get(world, world.facts["services"][page]["url"]) for page in PAGES]
    assert [status for status, _, _ in answers] == [200, 200]
    assert len({hashlib.sha256(body).hexdigest() for *_, body in answers}) == 1
    text = answers[0][2].decode("utf-8")
    assert "BREVLÅDOR" in text.upper()
    assert "<time datetime=" in text
    assert 'lang="sv"' in text


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_served_by_https_alone_and_say_so(world, page):
    url = world.facts["services"][page]["url"]
    status, headers, _ = _get(world, url, plain=True)
    assert status in (301, 308)
    assert headers["location"] == url
    _, headers, _ = _get(world, url)
    assert "max-age=" in headers["strict-transport-security"]
    assert "default-src" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_not_there_is_said_so(world, page):
    url = world.facts["services"][page]["url"]
    assert _get(world, url.rsplit("/", 1)[0] + "/finns-inte")[0] == 404
