"""Which entries of the log are disposed of, and when: the municipality's decisions, from a file.

Nothing goes without a decision. A month goes when all of it is older than the period decided, so
that an entry stays at least as long as that, and at most a month longer.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compliance.errors import Problem, UserError
from compliance.files.yamltree import Map, read_map
from compliance.messagelog.seal.statement import Decision

# What a decision can be about: every entry, or the audit's own mail; and the archive's copies.
LOG_CLASSES = ("message-log", "probe")
ARCHIVE_CLASS = "archive"
CLASSES = (*LOG_CLASSES, ARCHIVE_CLASS)
_KEYS = ("class", "period", "decision", "authority", "decided")
_PERIOD = re.compile(r"([1-9][0-9]{0,2}) (month|year)s?")
_MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Rule:
    """One decision with how long its entries are kept, in calendar months."""

    decision: Decision
    months: int

    def before(self, today: date) -> date:
        """Return the first month that stays, by its first day."""
        index = today.year * _MONTHS_A_YEAR + today.month - 1 - self.months
        return date(index // _MONTHS_A_YEAR, index % _MONTHS_A_YEAR + 1, 1)


def read_rules(path: Path, today: date, classes: Sequence[str]) -> list[Rule]:
    """Read the rules of some classes from `disposal.yml`.

    Raises UserError with every problem in the file, by line.
    """
    problems: list[Problem] = []
    top = read_map(path, ("disposal",), problems)
    rules = [_rule(found, today) for found in top.maps("disposal", _KEYS)]
    kinds = [rule.decision.kind for rule in rules if rule]
    if len(set(kinds)) < len(kinds):
        top.problem("disposal", "a class stands twice", "keep one decision for each class")
    if problems:
        raise UserError(problems)
    return [rule for rule in rules if rule is not None and rule.decision.kind in classes]


def plan_code(rules: Sequence[Rule], today: date) -> str:
    """Return a short code for what would go: it changes with the decisions and with the month."""
    told = repr([(rule, rule.before(today)) for rule in rules])
    return hashlib.sha256(told.encode("utf-8")).hexdigest()[:8]


def check_plan(plan: str, code: str) -> None:
    """Raise UserError if a plan is not the one that a dry run shows now."""
    if plan != code:
        raise UserError.of(
            f"the plan {plan} is not what would be done now", "--plan", "look again with --dry-run"
        )


def check_asked(*, dry_run: bool, plan: str | None) -> None:
    """Raise UserError for neither looking nor disposing, or both."""
    if dry_run == (plan is not None):
        raise UserError.of(
            "either look or dispose",
            "dispose",
            "begin with --dry-run; it shows the code for --plan",
        )


def _rule(found: Map, today: date) -> Rule | None:
    known = len(found.problems)
    kind, number = found.text("class"), found.text("decision")
    authority = found.text("authority")
    months = _months(found)
    decided = _decided(found, today)
    if kind and kind not in CLASSES:
        found.problem("class", f"{kind!r} is no class", f"use {' or '.join(CLASSES)}")
    if len(found.problems) > known or decided is None:
        return None
    return Rule(Decision(number, authority, decided, kind), months)


def _months(found: Map) -> int:
    text = found.text("period")
    match = _PERIOD.fullmatch(text)
    if match:
        return int(match.group(1)) * (_MONTHS_A_YEAR if match.group(2) == "year" else 1)
    if text:
        found.problem("period", f"{text!r} is no period", "write it as `6 months` or `10 years`")
    return 0


def _decided(found: Map, today: date) -> date | None:
    text = found.text("decided")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        if text:
            found.problem("decided", f"{text!r} is no day", "write it as 2026-10-14")
        return None
    if day > today:
        found.problem("decided", f"{text} is yet to come", "dispose when it has been decided")
    return day
