"""A sealing key that is lost is followed by another, and what it signed holds as before."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_seal import seal, sent, verify  # noqa: F401 - fixtures
from test_web import PAGES, _get

ROOT = Path(__file__).parents[2]
LAB = Path(os.environ.get("KOMMUNPOST_LAB", ROOT / "build/lab"))
KEY = "/etc/kommunpost/seal/key.pem"
# Of `site.yml`, the parts that have to do with the keys.
TAGS = "seal:preflight,seal:configure,publication:configure,log_list:configure"


@pytest.fixture
def deploy():
    """Deploy as a technician does; return whether it went well, and what was said."""

    def run() -> tuple[bool, str]:
        playbook = Path(sys.executable).with_name("ansible-playbook")
        done = subprocess.run(
            [playbook, "-i", LAB / "inventory.yml", ROOT / "playbooks/site.yml", "--tags", TAGS],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600,
        )  # fmt: skip
        return done.returncode == 0, done.stdout

    return run


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
    world, rows, on_host, seal, verify, deploy, published_keys, kommunpost  # noqa: F811
):  # fmt: skip
    sent(world, rows, "Före nyckelbytet")
    assert "signed " in seal()
    before = published_keys()
    on_host("mail", f"rm {KEY}")
    went_well, said = deploy()
    assert not went_well
    assert f"openssl genpkey -algorithm ed25519 -out {KEY}" in " ".join(said.split())
    on_host("mail", f"umask 077; openssl genpkey -algorithm ed25519 -out {KEY}")
    went_well, said = deploy()
    assert went_well, said[-3000:]
    sent(world, rows, "Efter nyckelbytet")
    assert "signed " in seal()
    assert "all holds" in verify()
    done = kommunpost("log", "verify")
    assert (done.returncode, "all holds" in done.stdout) == (0, True), done.stdout + done.stderr
    after = published_keys()
    assert after.startswith(before)
    assert after.count("BEGIN PUBLIC KEY") == before.count("BEGIN PUBLIC KEY") + 1
    went_well, said = deploy()
    assert went_well
    assert set(re.findall(r"changed=(\d+)", said)) == {"0"}, said[-3000:]
