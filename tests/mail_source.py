"""A load as it comes from the world: Postfix's own `smtp-source`, through another Postfix's queue.

`smtp-source` hands a counted number of letters to the outside host's Postfix, which brings them to
the municipality as any other provider does: over many connections, again after each 451, until each
is delivered or answered. What it was told, it writes to its journal, and that is asked afterwards.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mail_load import SUBJECT

from lablib.letters import World

_DOOR = "127.0.0.1:2525"
_UNIT = "kommunpost-smtp-source"
_TOLD = re.compile(r" status=(\w+) \((.*)\)$")
_QUEUED = "queued as "


@dataclass(frozen=True)
class Source:
    """A load of `count` letters, under way. cursor: of the outside host's journal at its start."""

    on_host: Callable[..., str]
    count: int
    cursor: str

    def told(self) -> list[tuple[str, str]]:
        """Return what the outside Postfix was told of each attempt: status and answer."""
        lines = self.on_host(
            "outside",
            f"journalctl --after-cursor='{self.cursor}' --output=cat -t postfix/smtp --no-pager"
            " | grep -o ' status=.*' || true",
        )
        found = [_TOLD.search(line) for line in lines.splitlines()]
        return [(one.group(1), one.group(2)) for one in found if one]

    def accepted(self) -> list[str]:
        """Return the municipality's queue ids of the letters that were answered with 250."""
        return [said.rpartition(_QUEUED)[2] for status, said in self.told() if status == "sent"]

    def refused(self) -> list[str]:
        """Return the answers for which letters were kept and brought again."""
        return [said for status, said in self.told() if status == "deferred"]

    def wait_for(self, count: int, seconds: float = 120) -> None:
        """Wait until so many letters are accepted."""
        self._wait(lambda: len(self.accepted()) >= count, f"{count} accepted", seconds)

    def is_over(self) -> bool:
        """Say whether every letter was handed over and the outside queue holds none any more."""
        state = self.on_host("outside", f"systemctl is-active {_UNIT}", check=False).strip()
        return state not in ("active", "activating") and not self.on_host("outside", "postqueue -j")

    def finish(self, seconds: float = 600) -> list[str]:
        """Wait until all is over; return the queue ids of all letters, each accepted once."""
        self._wait(self.is_over, "the outside queue to be empty", seconds)
        accepted = self.accepted()
        assert len(accepted) == self.count, f"{len(accepted)} of {self.count} accepted"
        return accepted

    def _wait(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(1)  # Postfix tells nobody how far it is


@contextmanager
def smtp_source(
    world: World, on_host: Callable[..., str], count: int, *, sessions: int = 20, pause: int = 0
) -> Iterator[Source]:
    """Send `count` letters from `sessions` sessions for the length of a block, and let it end.

    pause: seconds, at most, between a session's letters. Each session counts `count / sessions`.
    """
    people = [person.address for person in world.colleagues(5)]
    each, own = count // len(people), max(sessions // len(people), 1)
    assert each * len(people) == count, "count must be a multiple of 5"
    sources = " & ".join(
        f"smtp-source -s {own} -m {each} -l 4000 {f'-R {pause}' if pause else ''}"
        f" -f {world.outsider.address} -t {to} -S '{SUBJECT}' {_DOOR}"
        for to in people
    )
    # The outside host's Postfix relays for those who log in, which smtp-source can't.
    on_host(
        "outside",
        f"postconf -M '{_DOOR}/inet={_DOOR} inet n - n - - smtpd' && postconf -P"
        f" '{_DOOR}/inet/smtpd_relay_restrictions=permit_mynetworks,reject' && postfix reload",
    )
    try:
        shown = on_host("outside", "journalctl --lines=0 --show-cursor --no-pager")
        cursor = shown.partition("-- cursor: ")[2].strip()
        on_host("outside", f'systemd-run --quiet --unit={_UNIT} sh -c "{sources} & wait"')
        yield Source(on_host, count, cursor)
    finally:
        on_host("outside", f"systemctl stop {_UNIT}; systemctl reset-failed {_UNIT}", check=False)
        on_host("outside", f"postconf -MX {_DOOR}/inet && postfix reload")
