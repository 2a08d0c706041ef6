"""A sealing key that is lost is followed by another, and what it signed holds as before."""

import re

import pytest
from ansible_plays import play, play_well
from test_seal import seal, sent, verify  # noqa: F401 - fixtures
from test_web import PAGES, _get

KEY = "/etc/kommunpost/seal/key.pem"
# Of `site.yml`, the parts that have to do with the keys.
TAGS = "seal:preflight,seal:configure,publication:configure,log_list:configure"


@pytest.fixture
def published_keys(world):
    """Return the keys that both sites show, as text."""

    def read() -> str:
        shown = {
            _get(world, world.facts["services"][page]["url"] + "/logg/nyckel.pem")[2]
            for page in PAGES
        }
        assert len(shown) == 1
        return shown.pop().decode()

    return read


def test_a_key_that_is_lost_is_followed_by_another(
    world, rows, on_host, seal, verify, published_keys, kommunpost  # noqa: F811
):  # fmt: skip
    sent(world, rows, "Före nyckelbytet")
    assert "signed " in seal()
    before = published_keys()
    on_host("mail", f"rm {KEY}")
    refused = play("site.yml", "--tags", TAGS)
    assert refused.returncode != 0
    assert f"openssl genpkey -algorithm ed25519 -out {KEY}" in " ".join(refused.stdout.split())
    on_host("mail", f"umask 077; openssl genpkey -algorithm ed25519 -out {KEY}")
    play_well("site.yml", "--tags", TAGS)
    sent(world, rows, "Efter nyckelbytet")
    assert "signed " in seal()
    assert "all holds" in verify()
    done = kommunpost("log", "verify")
    assert (done.returncode, "all holds" in done.stdout) == (0, True), done.stdout + done.stderr
    after = published_keys()
    assert after.startswith(before)
    assert after.count("BEGIN PUBLIC KEY") == before.count("BEGIN PUBLIC KEY") + 1
    said = play_well("site.yml", "--tags", TAGS)
    assert set(re.findall(r"changed=(\d+)", said)) == {"0"}, said[-3000:]
