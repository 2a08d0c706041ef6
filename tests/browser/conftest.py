"""A real Chromium at the lab's log list, as an official sits before it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from person import log_in
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from lablib.letters import World, letter

# Chromium asks its maker for news at each start; a lab has nothing of that kind to answer.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def site(world: World) -> str:
    """The log list's address, without a slash at its end."""
    return world.facts["services"]["log_list"]["url"].rstrip("/")


@pytest.fixture(scope="session")
def chromium(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser that trusts the installation's CA and nothing else of its own."""
    services = [world.facts["services"][name] for name in ("log_list", "openid_provider")]
    names = [f"MAP {urlsplit(one['url']).hostname} {one['address']}" for one in services]
    home = tmp_path_factory.mktemp("home")
    _trust(home, Path(world.facts["ca_file"]))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            # Tests run as root, whom Chromium's own sandbox does not serve.
            args=["--no-sandbox", f"--host-resolver-rules={','.join(names)}", *QUIET],
            env={**os.environ, "HOME": str(home), "LANGUAGE": "sv"},
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


@pytest.fixture(scope="session")
def session_of(chromium: Browser, site: str) -> Callable[[dict[str, Any]], Any]:
    """Give what a browser keeps of somebody's session. Each logs in once, for all tests."""
    kept: dict[str, Any] = {}

    def state(who: dict[str, Any]) -> Any:
        if who["login"] not in kept:
            context = chromium.new_context(locale="sv", base_url=site)
            log_in(context.new_page(), who)
            kept[who["login"]] = context.storage_state()
            context.close()
        return kept[who["login"]]

    return state


@pytest.fixture(scope="session")
def visit(
    chromium: Browser, site: str, session_of: Callable[[dict[str, Any]], Any]
) -> Callable[..., Any]:
    """Give a page in a language; whatever it asks for elsewhere fails the test.

    who: somebody who is logged in already. They must not log out: others share the session.
    also: another site that the log list's pages lead to; what it serves is not ours to judge.
    more: what else a playwright context takes.
    """

    @contextmanager
    def opened(
        language: str = "sv", who: dict[str, Any] | None = None, also: str = "", **more: Any
    ) -> Iterator[Page]:
        state = session_of(who) if who else None
        context = chromium.new_context(locale=language, base_url=site, storage_state=state, **more)
        asked: list[str] = []
        wrong: list[str] = []
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))

        def note(one: ConsoleMessage) -> None:
            is_ours = not also or not one.location["url"].startswith(also)
            if one.type == "error" and is_ours:
                wrong.append(one.text)

        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        yield page
        context.close()
        known = (site + "/", "blob:", "data:", *([also + "/"] if also else []))
        elsewhere = [url for url in asked if not url.startswith(known)]
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
def registrar(world: World) -> dict[str, Any]:
    """Someone who reviews an authority and all units below it, the most of all."""
    readers = [one for one in world.facts["log_readers"] if not one["everything"]]
    return max(readers, key=lambda one: len(one["reviews"]))


@pytest.fixture(scope="session")
def office(world: World) -> dict[str, Any]:
    """Someone of the executive office."""
    return next(one for one in world.facts["log_readers"] if one["everything"])


@pytest.fixture(scope="session")
def mailbox(world: World) -> str:
    """The address of a function mailbox whose unit the executive office's people review."""
    return f"registrator@{world.domain}"


@pytest.fixture(scope="session")
def arrived(
    world: World, rows: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, Any]]:
    """Send a letter from outside to an address; return its row of the log, with its page."""

    def send(to: str, subject: str, note: EmailMessage | None = None) -> dict[str, Any]:
        note = note or letter(world.outsider, to, subject)
        world.submit(world.outsider, note)
        (row,) = rows(note["Message-ID"], seconds=90)
        place = f"{row['outbox_id']}/{row['sequence']}"
        return {**row, "page": f"/units/{row['recipient_unit']}/{place}"}

    return send
