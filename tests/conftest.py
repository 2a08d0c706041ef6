"""What the tests against a lab share. `make test` starts the lab and says where its facts lie."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_plays import play_well

from lablib.letters import World

# What these assert is told with its values, as in the tests themselves.
pytest.register_assert_rewrite("log_list_browser", "mail_load", "mail_source", "person")

ROOT = Path(__file__).parents[1]
LAB = Path(os.environ.get("KOMMUNPOST_LAB", ROOT / "build/lab"))
KOMMUNPOST = Path(sys.executable).with_name("kommunpost")


@pytest.fixture(scope="session")
def world() -> World:
    """The lab as its `lab.json` describes it."""
    facts = LAB / "lab.json"
    assert facts.exists(), f"{facts} is missing: run `make lab` first"
    return World(facts)


@pytest.fixture(scope="session")
def on_host() -> Callable[..., str]:
    """Run a command on a host as root, as a technician by ssh would."""

    def run(host: str, command: str, *, check: bool = True) -> str:
        done = subprocess.run(
            ["ssh", "-F", str(LAB / "ssh_config"), host, command],
            capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    return run


@pytest.fixture(scope="session")
def deploy() -> Callable[..., None]:
    """Deploy phases of roles anew, with other variables or without them."""

    def run(tags: str, variables: dict[str, Any] | None = None) -> None:
        play_well("site.yml", "--tags", tags, "--extra-vars", json.dumps(variables or {}))

    return run


@pytest.fixture(scope="session")
def kommunpost() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line, configured for the lab."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "KOMMUNPOST_CONFIG": str(LAB / "kommunpost.yml")}
        return subprocess.run(
            [str(KOMMUNPOST), *words],
            capture_output=True, text=True, env=environment, timeout=600,
        )  # fmt: skip

    return run


@pytest.fixture(scope="session")
def rows(
    kommunpost: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[[str], list[dict[str, Any]]]:
    """Return the log's rows for a Message-ID, waiting until there is one."""
    import time

    def find(message_id: str, seconds: float = 30) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while True:
            done = kommunpost("log", "export", "--format", "jsonl")
            assert done.returncode == 0, done.stderr
            entries = [json.loads(line) for line in done.stdout.splitlines()]
            found = [entry for entry in entries if entry["message_id"] == message_id]
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)  # the log tells nobody that a row has come

    return find


@pytest.fixture(scope="session")
def ask(on_host: Callable[..., str]) -> Callable[..., None]:
    """Ask the log's database, waiting for the answer that is wanted."""
    import time

    def run(query: str, wanted: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        command = f'runuser -u postgres -- psql -Atd kommunpost -c "{query}"'
        while (answer := on_host("mail", command).strip()) != wanted:
            assert time.monotonic() < deadline, f"{answer!r}, not {wanted!r}"
            time.sleep(0.5)  # the database tells nobody that a row has come

    return run


@pytest.fixture(scope="session")
def lab() -> Callable[[str, str], None]:
    """Kill and start hosts of the lab, as a crash would."""

    def run(verb: str, host: str) -> None:
        command = [sys.executable, str(ROOT / "bin/lab"), verb, host, "--name", LAB.name]
        subprocess.run(command, check=True, timeout=300)

    return run
