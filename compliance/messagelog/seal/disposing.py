"""`kommunpost log dispose`."""

import sys
from datetime import UTC, date, datetime

from compliance import settings
from compliance.errors import UserError
from compliance.messagelog import store
from compliance.messagelog.seal.disposal import LOG_CLASSES, Rule, check_plan, plan_code, read_rules
from compliance.messagelog.seal.sealing import Sealer
from compliance.messagelog.seal.statement import read_private_key
from compliance.messagelog.seal.storage import SealStore


def dispose(plan: str | None) -> None:
    """Show what would go; with the code that was shown, dispose of it month by month.

    Each month is one transaction: what breaks off leaves whole months, and a second run with the
    same code goes on.
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
    code = plan_code(rules, today)
    if plan is None:
        _show(log, rules, today, code)
        return
    check_plan(plan, code)
    key = read_private_key(own.key_file)
    with store.session(log) as connection:
        for rule, month in _months(log, rules, today):
            with SealStore.exclusive(connection) as view:
                sealer = Sealer(view, key, loaded.municipality.domain, datetime.now(UTC))
                made = sealer.dispose(rule.decision, month)
            if made is not None:
                number, went = rule.decision.number, made.says.entries
                sys.stdout.write(f"{month:%Y-%m}: {went} entries disposed of under {number}\n")
                sys.stdout.flush()


def _months(log: settings.Log, rules: list[Rule], today: date) -> list[tuple[Rule, date]]:
    with store.session(log) as connection, SealStore.snapshot(connection) as view:
        return [
            (rule, month)
            for rule in rules
            for month, entries, _ in view.plan(rule.decision.kind, rule.before(today))
            if entries
        ]


def _show(log: settings.Log, rules: list[Rule], today: date, code: str) -> None:
    due = 0
    end = max((rule.before(today) for rule in rules), default=date.min)
    with store.session(log) as connection, SealStore.snapshot(connection) as view:
        for rule in rules:
            decision, before = rule.decision, rule.before(today)
            sys.stdout.write(
                f"{decision.kind}: what is older than {before}, under {decision.number}"
                f" ({decision.authority}, {decision.decided})\n"
            )
            for month, entries, held in view.plan(decision.kind, before):
                due += entries
                note = f", {held} held" if held else ""
                sys.stdout.write(f"  {month:%Y-%m}: {entries} entries{note}\n")
        for hold in view.holds(end):
            whose = hold.unit or "all units"
            if hold.accepted_from:
                whose += f", what came on {hold.accepted_from:%Y-%m-%d} or later"
            sys.stdout.write(
                f"held for a {hold.kind} since {hold.since:%Y-%m-%d}, {whose}:"
                f" {hold.why} ({hold.who})\n"
            )
    sys.stdout.write(
        f"{due} entries would go. To dispose of them: kommunpost log dispose --plan {code}\n"
        if due
        else "nothing is to be disposed of\n"
    )
