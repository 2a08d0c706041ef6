"""The controls that exist, in the order of the report."""

from compliance.checks import b1, b2, b3, b4, g1, g3, g7, s2, t1, w1, w2
from compliance.checks.model import Check, Result
from compliance.errors import UserError
from compliance.probes.facts import Facts

CHECKS: tuple[Check, ...] = (
    b1.CHECK,
    b2.CHECK,
    b3.CHECK,
    b4.CHECK,
    w1.CHECK,
    w2.CHECK,
    g1.CHECK,
    g3.CHECK,
    g7.CHECK,
    s2.CHECK,
    t1.CHECK,
)

IDS = tuple(check.control.id for check in CHECKS)


def choose(ids: list[str]) -> list[Check]:
    """Return the named checks, or all for an empty list. Raises UserError for an unknown id."""
    known = {check.control.id: check for check in CHECKS}
    wanted = [name.upper() for name in ids]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError.of(
            f"there is no control {', '.join(unknown)}",
            "--control",
            f"write one of {', '.join(known)}",
        )
    return [check for check in CHECKS if not wanted or check.control.id in wanted]


def judge(facts: Facts, checks: list[Check]) -> list[Result]:
    """Judge recorded facts; pure, no network."""
    return [check.judge(facts) for check in checks]
