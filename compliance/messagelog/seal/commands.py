"""`kommunpost log seal`, `publish` and `verify`, and `kommunpost verify`."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer

from compliance import settings
from compliance.errors import UserError
from compliance.messagelog import arguments, store
from compliance.messagelog.seal import published, sites, time_stamp, verifier
from compliance.messagelog.seal.findings import Finding, Kind
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.statement import (
    Day,
    Signed,
    Statement,
    read_public_keys,
    read_sealing_key,
)
from compliance.messagelog.seal.storage import SealStore
from compliance.messagelog.seal.unit_day import UnitDay, verify_unit_day
from compliance.messagelog.seal.verification import Report
from compliance.messagelog.seal.verification import verify as verify_log

app = typer.Typer(rich_markup_mode=None, add_completion=False)


def seal() -> None:
    """Do `kommunpost log seal`."""
    loaded, log, own = _settings()
    if own.key_file is None:
        raise UserError.of(
            "the settings have no `seal.key_file`",
            str(settings.settings_path()),
            "run this on the host that signs, as the role sets it up",
        )
    key = read_sealing_key(own.key_file, own.public_key_file)
    with store.session(log) as connection:
        with SealStore.exclusive(connection) as view:
            now = datetime.now(UTC)
            made = Sealer(view, key, loaded.municipality.domain, now).close_days()
        for statement in made:
            sys.stdout.write(_told(statement) + "\n")
        if own.time_stamping is not None:
            _stamp(connection, own.time_stamping)


def _stamp(connection: psycopg.Connection[Any], authority: settings.TimeStamping) -> None:
    """Have the last statement stamped, if it isn't: that covers all before it."""
    with SealStore.exclusive(connection) as view:
        signed, stamps = view.statements(), view.time_stamps()
        if not signed or len(signed) in stamps:
            return
        token = time_stamp.obtain(authority.url, authority.ca_file, signed[-1].digest)
        view.add_time_stamp(len(signed), token)
    sys.stdout.write(f"time stamp on statement {len(signed)}\n")


def publish() -> None:
    """Do `kommunpost log publish`."""
    loaded, log, own = _settings()
    if own.published is None:
        raise UserError.of(
            "the settings have no `seal.published`",
            str(settings.settings_path()),
            "name the folder that the statements are published from",
        )
    with store.session(log) as connection, SealStore.snapshot(connection) as view:
        signed, stamps = view.statements(), view.time_stamps()
    name = loaded.municipality.name
    for written in published.publish(own.published, name, own.public_key_file, signed, stamps):
        sys.stdout.write(f"published {written}\n")


def verify(since: str | None, until: str | None, *, as_json: bool) -> None:
    """Do `kommunpost log verify` for days as the user wrote them."""
    first, stop = arguments.days(since, until)
    loaded, log, own = _settings()
    keys = read_public_keys(own.public_key_file)
    copies, told = _copies(loaded, own)
    with store.session(log) as connection, SealStore.snapshot(connection) as view:
        report = verify_log(view, keys, loaded.municipality.domain, first, stop, copies)
        stamps = view.time_stamps()
        stamped, broken = _stamps(view.statements(), stamps, own.time_stamping)
    report.findings += broken + _stamps_gone(stamps, own.published)
    if as_json:
        _write_json(asdict(report), [*stamped, *told])
    else:
        _write([*_lines(report), *stamped, *told])
    if report.findings:
        raise typer.Exit(1)


def verify_unit(unit: str, day: str, *, as_json: bool) -> None:
    """Do `kommunpost log verify --unit UNIT --day DAY`."""
    wanted = arguments.day("--day", day)
    loaded, log, own = _settings()
    keys = read_public_keys(own.public_key_file)
    copies, told = _copies(loaded, own)
    with store.session(log) as connection, SealStore.snapshot(connection) as view:
        found = verify_unit_day(view, keys, loaded.municipality.domain, unit, wanted, copies)
    if as_json:
        _write_json({"unit": unit, "day": wanted, **asdict(found)}, told)
    else:
        _write([*_unit_lines(found, unit, wanted), *told])
    if found.findings:
        raise typer.Exit(1)


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _write_json(found: dict[str, Any], held_against: list[str]) -> None:
    """Write what was found; held_against: in words, what besides the log was asked."""
    told = {"holds": not found["findings"], **found, "held_against": held_against}
    sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")


@app.command()
def verify_extract(
    extract: Annotated[Path, typer.Argument(help="The extract, a JSON file")],
    *,
    key: Annotated[
        Path | None, typer.Option(help="The municipality's published keys (PEM)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Verify an extract of a message log that was handed out.

    Exit codes: 0 it holds, 1 it doesn't, 2 it can't be read.

    \b
    Example: kommunpost verify bevis.json --key sjovalla.pem
    """
    known = read_public_keys(key) if key else None
    try:
        verified = verifier.verify(verifier.read_extract(extract), known)
    except verifier.ExtractError as error:
        if as_json:
            _write([json.dumps({"holds": False, "error": str(error)}, ensure_ascii=False)])
        else:
            name = verifier.plain(str(extract))
            sys.stderr.write(f"{name}: the extract does not hold: {error}\n")
        raise typer.Exit(1) from error
    except (OSError, ValueError, MemoryError) as error:
        is_there = not isinstance(error, OSError)
        raise UserError.of(
            f"the extract cannot be read ({str(error) or 'it needs more memory than there is'})",
            verifier.plain(str(extract)),
            "ask for it in parts" if is_there else "name the JSON file that came with it",
        ) from error
    if as_json:
        told = {
            "holds": True,
            "domain": verified.domain,
            "fingerprints": [verifier.fingerprint(one) for one in verified.keys],
            "key_is_known": known is not None,
            "key_is_followed": verified.is_followed,
            "rows": [asdict(row) for row in verified.rows],
        }
        _write([json.dumps(told, ensure_ascii=False)])
    else:
        _write([verifier.describe(verified, key_is_known=known is not None)])


def _copies(loaded: settings.Settings, own: settings.Seal) -> tuple[list[Signed], list[str]]:
    """Return what was published, from the folder and the sites of the settings; say of each site.

    It is read before the log is, so that the log has all of it.
    """
    copies = published.read(own.published) if own.published else []
    publication = loaded.audit.publication if loaded.audit else None
    shown = list(sites.read(publication)) if publication else []
    copies += [site.last for site in shown if site.last is not None]
    return copies, [str(site) for site in shown]


def _told(statement: Statement) -> str:
    says = statement.says
    if not isinstance(says, Day):
        return f"disposed of {says.entries} entries of {says.month:%Y-%m}"
    late = f", with late entries after statement {says.revises}" if says.revises else ""
    return f"signed {says.day}: {says.entries} entries of {len(says.units)} units{late}"


def _stamps(
    signed: Sequence[Signed], stamps: Mapping[int, bytes], authority: settings.TimeStamping | None
) -> tuple[list[str], list[Finding]]:
    """Verify the time stamps; say how far the last one reaches, and which don't hold."""
    if authority is None:
        return [], []
    found, reach = list[Finding](), "no statement has a time stamp"
    for number, token in stamps.items():
        try:
            digest = signed[number - 1].digest
            moment = time_stamp.stamped_at(token, digest, authority.ca_file)
            reach = f"time stamps hold: statements up to {number} are older than {moment:%F %T} UTC"
        except (ValueError, IndexError) as error:
            text = f"the time stamp on statement {number} does not hold: {error}"
            found.append(Finding(Kind.STATEMENT, None, None, text))
    return [reach], found


def _stamps_gone(stamps: Mapping[int, bytes], folder: Path | None) -> list[Finding]:
    """Say which published time stamps are not in the log as they were published."""
    copies = published.read_stamps(folder) if folder else {}
    return [
        Finding(
            Kind.STATEMENT,
            None,
            None,
            f"the published time stamp on statement {number} is not in the log",
        )
        for number, token in sorted(copies.items())
        if stamps.get(number) != token
    ]


def _lines(report: Report) -> list[str]:
    lines = [str(finding) for finding in report.findings]
    lines += [f"disposed: {count} entries under {name}" for name, count in report.disposed.items()]
    lines.append(
        f"{report.entries} entries of {report.outboxes} outboxes, {report.trees} trees of "
        f"{report.days} days: {_verdict(report.findings)}"
    )
    if report.open_entries:
        lines.append(f"{report.open_entries} entries came since: the chain alone holds them so far")
    return lines


def _unit_lines(found: UnitDay, unit: str, day: date) -> list[str]:
    disposed = f", {found.disposed} of them disposed of" if found.disposed else ""
    lines = [
        *map(str, found.findings),
        f"{found.rows} rows of unit {unit} on {day}{disposed}, signed by statement"
        f" {found.statement} with root {found.root}: {_verdict(found.findings)}",
    ]
    if found.late:
        lines.append(f"{found.late} entries came since: no statement holds them yet")
    return lines


def _verdict(findings: list[Finding]) -> str:
    return f"{len(findings)} findings" if findings else "all holds"


def _settings() -> tuple[settings.Settings, settings.Log, settings.Seal]:
    loaded = settings.load()
    if loaded.log is None or loaded.seal is None:
        raise UserError.of(
            "the settings have no `log` or no `seal`",
            str(settings.settings_path()),
            "add log.dsn and seal.public_key_file, or run this where the log is sealed",
        )
    return loaded, loaded.log, loaded.seal
