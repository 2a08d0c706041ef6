"""`kommunpost log dispose`."""

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

import psycopg

from compliance import settings
from compliance.errors import UserError
from compliance.messagelog import store
from compliance.messagelog.seal import trace
from compliance.messagelog.seal.disposal import (
    LOG_CLASSES,
    READINGS,
    Going,
    Part,
    Rule,
    check_plan,
    parts_due,
    plan_code,
    read_rules,
)
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.statement import Disposal, of_log, read_sealing_key
from compliance.messagelog.seal.storage import SealStore


def dispose(plan: str | None) -> None:
    """Show what would go; with the code that was shown, dispose of it month by month.

    Each month is one transaction: what breaks off leaves whole months, and a second run with the
    same code goes on. A month of which something else may go than was shown stays.
    """
    loaded = settings.load()
    log, own = loaded.log, loaded.seal
    if log is None or own is None or own.disposal_file is None or own.key_file is None:
        raise UserError.of(
            "the settings have no `seal.disposal_file` or no `seal.key_file`",
            str(settings.settings_path()),
            "run this on the host that seals, with its settings for disposal",
        )
    today = datetime.now(UTC).date()
    rules = read_rules(own.disposal_file, today, LOG_CLASSES)
    with store.session(log) as connection:
        with SealStore.snapshot(connection) as view:
            due = parts_due(rules, today, view.plan)
            if plan is None:
                _show(view, rules, today, due)
                return
            check_plan(plan, rules, _done(view, trace.disposed(connection), rules), due)
        key = read_sealing_key(own.key_file, own.public_key_file)
        for part in due:
            if not part.count:
                continue
            with SealStore.disposing(connection) as view:
                sealer = Sealer(view, key, loaded.municipality.domain, datetime.now(UTC))
                went = _dispose_of(part, sealer, connection)
            done = f"{_counted(part, went)} disposed of under {part.rule.decision.number}"
            left = "nothing of it may go any more: it is gone, or held since it was shown"
            sys.stdout.write(f"{part.when:%Y-%m}: {done if went else left}\n")
            sys.stdout.flush()


def _dispose_of(part: Part, sealer: Sealer, connection: psycopg.Connection[Any]) -> int:
    """Dispose of a month and count what went: all that was shown, or nothing if nothing is left.

    Raises UserError if another number may go now.
    """
    decision = part.rule.decision
    try:
        if decision.kind == READINGS:
            return trace.dispose_of(connection, decision, part.when, part.count)
        made = sealer.dispose(decision, part.when)
    except psycopg.errors.DataException as error:  # a hold ended between counting and deleting
        raise _changed(part) from error
    if made is None:
        return 0
    if made.says.entries != part.count:
        raise _changed(part)
    return part.count


def _counted(part: Part, number: int) -> str:
    kind = part.rule.decision.kind
    return f"{number} readings" if kind == READINGS else f"{number} entries"


def _changed(part: Part) -> UserError:
    return UserError.of(
        f"not {_counted(part, part.count)} may go now, as was shown: nothing of this month went",
        f"{part.rule.decision.kind} {part.when:%Y-%m}",
        "look again with --dry-run",
    )


def _done(view: SealStore, gone: Sequence[trace.Gone], rules: Sequence[Rule]) -> list[Going]:
    """Return what was disposed of under these decisions, in order."""
    decisions = [rule.decision for rule in rules]
    told = [
        (statement.made_at, says.decision, says.month, says.entries)
        for statement in of_log(view.statements())
        if isinstance(says := statement.says, Disposal)
    ]
    told += [(one.at, one.decision, one.month, one.readings) for one in gone]
    return [
        (decision.kind, month, count)
        for _, decision, month, count in sorted(told, key=itemgetter(0))
        if decision in decisions
    ]


def _show(view: SealStore, rules: Sequence[Rule], today: date, due: Sequence[Part]) -> None:
    for rule in rules:
        decision, before = rule.decision, rule.before(today)
        sys.stdout.write(
            f"{decision.kind}: what is older than {before}, under {decision.number}"
            f" ({decision.authority}, {decision.decided})\n"
        )
        for part in due:
            if part.rule == rule:
                note = f", {part.held} held" if part.held else ""
                sys.stdout.write(f"  {part.when:%Y-%m}: {_counted(part, part.count)}{note}\n")
    for hold in view.holds(max((rule.before(today) for rule in rules), default=date.min)):
        whose = hold.unit or "all units"
        if hold.accepted_from:
            whose += f", what came on {hold.accepted_from:%Y-%m-%d} or later"
        sys.stdout.write(
            f"held for a {hold.kind} since {hold.since:%Y-%m-%d}, {whose}:"
            f" {hold.why} ({hold.who})\n"
        )
    total = sum(part.count for part in due)
    code = plan_code(rules, [part.going for part in due])
    sys.stdout.write(
        f"{total} rows would go. To dispose of them: kommunpost log dispose --plan {code}\n"
        if total
        else "nothing is to be disposed of\n"
    )
