"""`kommunpost log health` and `retire-host`: how the log is, the alarm, and whom it leaves out."""

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from compliance import ending, settings
from compliance.clock import today
from compliance.errors import UserError
from compliance.messagelog import arguments
from compliance.messagelog.health import Health, as_json, as_text, look
from compliance.messagelog.store import first_line, log_settings, session


def health(
    *,
    as_json_: Annotated[bool, typer.Option("--json", help="For a program")] = False,
    alarm: Annotated[
        bool, typer.Option("--alarm", help="Mail postmaster if something is wrong, once a day")
    ] = False,
) -> None:
    """Tell how outbox, shipper, follower, seal and comparison stand; on a mail host or anywhere.

    Exit codes: 0 all is well; 1 something is wrong, and it says what; 2 nothing could be looked at.

    \b
    Example: kommunpost log health --json
    """
    loaded = settings.load()
    found = look(log_settings(), loaded.capture, datetime.now(UTC))
    if as_json_:
        sys.stdout.write(json.dumps(as_json(found), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in as_text(found))
    if not found.problems:
        return
    if alarm:
        try:
            _tell(loaded, found, today())
        except UserError as unsent:
            sys.stderr.write(f"kommunpost: {unsent}\n")
    raise typer.Exit(1 if found.outbox or found.store else ending.ERROR)


def retire_host(
    host: Annotated[str, typer.Argument(help="The mail host, as entries of the log name it")],
    since: Annotated[str, typer.Option(help="When it stopped for good, e.g. 2026-11-24T09:00")],
) -> None:
    """Note that a mail host is no more, so that nothing is waited for from it after that time.

    Run on the log's host as its owner. The note stays in the log; a host that is heard of again is
    looked after again. What the host wrote and nobody read before that time is told as ever.

    \b
    Example: kommunpost log retire-host mail2.sjovalla.example --since 2026-11-24T09:00
    """
    arguments.text("HOST", host)
    at = arguments.moment("--since", since)
    with session(log_settings()) as connection:
        try:
            connection.execute("SELECT log.retire_host(%s, %s)", [host, at])
        except psycopg.errors.NoDataFound as error:
            raise UserError.of(
                first_line(error), host, "write the host as `kommunpost log health` does"
            ) from error
        except psycopg.errors.InvalidParameterValue as error:
            raise UserError.of(
                f"{host} cannot be retired as of {at}: {first_line(error)}",
                "--since",
                "stop the host first, and give a time between these two",
            ) from error
    sys.stdout.write(f"{host} is retired since {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC\n")


def _tell(loaded: settings.Settings, found: Health, day: date) -> None:
    """Mail postmaster, unless that was done today.

    Raises UserError if the letter is not taken, or if it can't be noted that it went.
    """
    # What writes letters is loaded by the alarm only: the milter must be back at once.
    from compliance.letters import render
    from compliance.post import Letter, send

    if loaded.alarm is None or loaded.sender is None:
        raise UserError.of(
            "the settings do not say who sends the alarm and where it is kept that it went",
            f"{settings.settings_path()}: alarm, sender",
            "run this on a mail host, as role message_log sets it up",
        )
    told = loaded.alarm.told
    if _last_told(told) == day.isoformat():
        return
    town = loaded.municipality
    host = found.hosts[0].host if found.hosts else ""
    subject, body = render(
        "log-alarm.txt.j2", host=host, problems=found.problems, municipality=town.name
    )
    # Noted before it goes: where nothing can be written one would go every five minutes.
    try:
        told.write_text(f"{day}\n", encoding="ascii")
    except OSError as error:
        raise UserError.of(
            f"no letter is sent, for it cannot be noted that it went ({error.strerror})",
            str(told),
            "see that it can be written; the letter goes by itself then",
        ) from error
    try:
        send(loaded.sender, Letter(f"postmaster@{town.domain}", subject, body))
    except BaseException:
        told.unlink(missing_ok=True)  # so that the next run tries again
        raise


def _last_told(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
