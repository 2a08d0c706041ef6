"""What of the log is disposed of, and when: the municipality's decisions, from a file.

Nothing goes without a decision. A month goes when all of it is older than the period decided, so
that an entry stays at least as long as that, and at most a month longer.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compliance.errors import Problem, UserError
from compliance.files.yamltree import Map, read_map
from compliance.messagelog.seal.statement import Decision

# What a decision can be about: every entry, or the audit's own mail; who read what of the log and
# the archive; and the archive's copies.
EVERY_ENTRY = "message-log"
READINGS = "readings"
LOG_CLASSES = (EVERY_ENTRY, "probe", READINGS)
ARCHIVE_CLASS = "archive"
CLASSES = (*LOG_CLASSES, ARCHIVE_CLASS)
_EXAMPLE = "docs/handbook/registrator-arkivarie.md"
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


@dataclass(frozen=True)
class Part:
    """What of a month (of the archive: a day) goes under one decision, and what a hold stops."""

    rule: Rule
    when: date
    count: int
    held: int

    @property
    def going(self) -> "Going":
        """What a plan's code says of it."""
        return self.rule.decision.kind, self.when, self.count


Going = tuple[str, date, int]  # class, month or day, how many


def read_rules(path: Path, today: date, classes: Sequence[str]) -> list[Rule]:
    """Read the rules of some classes from `disposal.yml`.

    Raises UserError with every problem in the file, by line.
    """
    problems: list[Problem] = []
    top = read_map(path, ("disposal",), problems, example=_EXAMPLE)
    rules: dict[str, tuple[Map, Rule]] = {}
    for found in top.maps("disposal", _KEYS):
        rule = _rule(found, today)
        if rule and rule.decision.kind in rules:
            text = f"{rule.decision.kind} stands twice"
            found.problem("class", text, "keep one decision for each class")
        elif rule:
            rules[rule.decision.kind] = (found, rule)
    if EVERY_ENTRY in rules and ARCHIVE_CLASS in rules:
        found, archive = rules[ARCHIVE_CLASS]
        if archive.months > rules[EVERY_ENTRY][1].months:
            found.problem(
                "period",
                f"the archive's is longer than that of {EVERY_ENTRY}, and nobody finds a copy"
                " whose entry is gone",
                "keep the copies no longer than the entries",
            )
    if problems:
        raise UserError(problems)
    return [rule for kind, (_, rule) in rules.items() if kind in classes]


def parts_due(
    rules: Iterable[Rule],
    today: date,
    months: Callable[[str, date], Iterable[tuple[date, int, int]]],
) -> list[Part]:
    """Return what of the log is due, in the order in which it goes.

    An entry that two decisions are about goes under the first of them, and is counted there alone.
    months: gives the months of a class before one, with how much of it may go and how much is held.
    """
    parts: list[Part] = []
    for rule in rules:
        kind = rule.decision.kind
        for month, entries, held in months(kind, rule.before(today)):
            before = [] if kind == READINGS else _entries_of(parts, month)
            if kind == EVERY_ENTRY:
                entries -= sum(part.count for part in before)
                held -= sum(part.held for part in before)
            elif before:  # every entry is due there
                continue
            if entries or held:
                parts.append(Part(rule, month, entries, held))
    return parts


def _entries_of(parts: Iterable[Part], month: date) -> list[Part]:
    """Return the parts of a month that are about entries."""
    return [part for part in parts if part.when == month and part.rule.decision.kind != READINGS]


def plan_code(rules: Sequence[Rule], going: Iterable[Going]) -> str:
    """Return a short code for what would go: it changes with the decisions and with each count."""
    told = repr((list(rules), [one for one in going if one[2]]))
    return hashlib.sha256(told.encode("utf-8")).hexdigest()[:8]


def check_plan(
    plan: str, rules: Sequence[Rule], done: Sequence[Going], due: Iterable[Part]
) -> None:
    """Raise UserError if a plan is neither what a dry run shows now, nor what is left of one.

    done: what went under these decisions before, in that order; a run that broke off did the first
    of what was shown, so that the rest goes on by the same plan.
    """
    left = [part.going for part in due]
    if all(plan != plan_code(rules, [*done[first:], *left]) for first in range(len(done), -1, -1)):
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
