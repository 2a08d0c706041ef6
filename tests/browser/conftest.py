"""A real Chromium at the lab's log list, as an official sits before it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from lablib.letters import World

# Chromium asks its maker for news at each start; a lab has nothing of that kind to answer.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def site(world: World) -> str:
    """The log list's address, without a slash at its end."""
    return world.facts["services"]["log_list"]["url"].rstrip("/")


@pytest.fixture(scope="session")
def chromium(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that trusts the installation's CA and nothing else of its own."""
    service = world.facts["services"]["log_list"]
    name = urlsplit(service["url"]).hostname
    home = tmp_path_factory.mktemp("home")
    _trust(home, Path(world.facts["ca_file"]))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            # Tests run as root, whom Chromium's own sandbox does not serve.
            args=["--no-sandbox", f"--host-resolver-rules=MAP {name} {service['address']}", *QUIET],
            env={**os.environ, "HOME": str(home)},
        )
        yield browser
        browser.close()


def _trust(home: Path, ca: Path) -> None:
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    for words in (
        ["-N", "--empty-password"],
        ["-A", "-n", "installation", "-t", "C,,", "-i", str(ca)],
    ):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True)


@pytest.fixture
def visit(chromium: Browser, site: str) -> Callable[..., Any]:
    """Give a page in a language; whatever it asks for elsewhere fails the test."""

    @contextmanager
    def opened(language: str = "sv") -> Iterator[Page]:
        context = chromium.new_context(locale=language, base_url=site)
        asked: list[str] = []
        wrong: list[str] = []
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda note: wrong.append(note.text) if note.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        context.close()
        elsewhere = [url for url in asked if not url.startswith((site + "/", "blob:", "data:"))]
        assert elsewhere == [], "a page asked for something that is not the log list's"
        refused = [text for text in wrong if "Content Security Policy" in text]
        assert refused == [], "a page holds what its own policy forbids"

    return opened


@pytest.fixture(scope="session")
def reviewer(world: World) -> dict[str, Any]:
    """Someone who reviews a unit and doesn't read everything."""
    return next(
        one for one in world.facts["log_readers"] if one["reviews"] and not one["everything"]
    )


@pytest.fixture(scope="session")
def office(world: World) -> dict[str, Any]:
    """Someone of the executive office."""
    return next(one for one in world.facts["log_readers"] if one["everything"])
