"""A mail host's journal and units, read with its own tools, here or by the settings' command."""

import shlex
import subprocess
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from compliance.probes.errors import ProbeError
from compliance.probes.facts import Accepted, HostFacts, Seen, UnitState, now
from compliance.probes.postfix_journal import Trail
from compliance.settings import MailHost

# Messages younger than this are held against the log.
PERIOD = timedelta(hours=24)
_UNITS = (
    *("postfix.service", "dovecot.service", "slapd.service", "nginx.service"),
    *("kommunpost-milter.service", "kommunpost-shipper.service", "kommunpost-follower.service"),
    "postgresql@*.service",
)
# Syslog facility `mail`, which Postfix and Dovecot write with.
_MAIL = "SYSLOG_FACILITY=2"
_SECONDS = 120


class _Unit(BaseModel):
    """A line of `systemctl list-units`."""

    unit: str
    load: str
    active: str
    sub: str


class _Entry(BaseModel):
    """A line of the journal (systemd's Journal Export and JSON formats)."""

    cursor: str = Field(alias="__CURSOR")
    message: object = Field(default=None, alias="MESSAGE")

    @property
    def text(self) -> str:
        """Return the line's text; journald gives bytes that are no UTF-8 as a list of numbers."""
        if isinstance(self.message, list):
            return bytes(self.message).decode("utf-8", "replace")
        return str(self.message or "")


_UNIT_LIST = TypeAdapter(list[_Unit])


class Host:
    """One mail host. Every method raises ProbeError when the host does not answer."""

    def __init__(self, settings: MailHost) -> None:
        """Remember where; nothing is asked yet."""
        self.name = settings.name
        self._command = settings.command
        self._cursor: str | None = None

    def mark(self) -> None:
        """Remember the journal's end, so that `lines` gives only what comes after."""
        answer = self.run("journalctl", "--lines=0", "--show-cursor", "--quiet")
        self._cursor = answer.rpartition("-- cursor: ")[2].strip() or None

    def lines(self) -> list[str]:
        """Return the mail log's new lines since `mark` or the last call."""
        if self._cursor is None:
            raise ProbeError(f"{self.name}: the journal has no end to start from")
        entries = self._journal(f"--after-cursor={self._cursor}")
        if entries:
            self._cursor = entries[-1].cursor
        return [entry.text for entry in entries]

    def facts(self) -> HostFacts:
        """Return units and what Postfix accepted in the period; an error becomes a fact."""
        at = now()
        since = at - PERIOD
        asked = "journalctl and systemctl: accepted queue ids and units"
        try:
            units, accepted = self._units(), self._accepted(since)
        except ProbeError as error:
            return HostFacts(self.name, Seen(asked, self.name, at, str(error)), since)
        return HostFacts(self.name, Seen(asked, self.name, at), since, units, accepted)

    def _accepted(self, since: datetime) -> tuple[Accepted, ...]:
        trail = Trail()
        entries = self._journal(f"--since=@{int(since.timestamp())}")
        trail.read(entry.text for entry in entries)
        return tuple(Accepted(name, trail.recipients(name)) for name in trail.accepted)

    def _units(self) -> tuple[UnitState, ...]:
        answer = self.run("systemctl", "list-units", "--all", "--output=json", *_UNITS)
        try:
            units = _UNIT_LIST.validate_json(answer)
        except ValidationError as error:
            raise self._not_understood("systemctl") from error
        return tuple(
            UnitState(unit.unit, unit.active, unit.sub) for unit in units if unit.load == "loaded"
        )

    def _journal(self, *choice: str) -> list[_Entry]:
        answer = self.run(
            *("journalctl", "--output=json", "--output-fields=MESSAGE", "--quiet"), *choice, _MAIL
        )
        # Not splitlines: other line ends stand within a message, which a stranger may have written.
        lines = filter(None, answer.split("\n"))
        try:
            return [_Entry.model_validate_json(line) for line in lines]
        except ValidationError as error:
            raise self._not_understood("journalctl") from error

    def _not_understood(self, program: str) -> ProbeError:
        return ProbeError(f"{self.name}: it answers for {program} what is no JSON of that program")

    def run(self, *words: str) -> str:
        """Run a command there as root and return what it prints."""
        # ssh hands its words to a shell on the other side as one line, so they are quoted for it.
        command = [*self._command, shlex.join(words)] if self._command else list(words)
        try:
            done = subprocess.run(  # noqa: S603 - the command is the administrator's own setting
                command,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProbeError(f"{self.name}: {error}") from error
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise ProbeError(f"{self.name}: {said[-1] if said else f'exit {done.returncode}'}")
        return done.stdout.decode("utf-8", "replace")
