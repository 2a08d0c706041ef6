"""Why a probe came back empty; it becomes a fact, not a crash."""

from compliance.errors import UserError


class ProbeError(Exception):
    """What was asked could not be answered; the text says why, for the report."""


def first_problem(error: UserError) -> str:
    """Return the first problem in one line, without what to do: the control tells that."""
    return error.problems[0].what if error.problems else "unknown"
