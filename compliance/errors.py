"""The one exception that a user meets: what happened, where, and what to do."""

from dataclasses import dataclass, field
from typing import Self


@dataclass
class Problem:
    """One thing that is wrong, as a person reads it.

    what: one sentence. where: a file with line, a host or a setting. remedy: what to write or do.
    swedish: both in Swedish, of a problem that others than technicians meet.
    """

    what: str
    where: str = ""
    remedy: str = ""
    swedish: str = ""

    def __str__(self) -> str:
        """Render as one or two lines."""
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n  What to do: {self.remedy}" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


@dataclass
class UserError(Exception):
    """Something that the user can mend. The command line prints it and exits 2, without traceback.

    A reader collects every problem in a file before it raises, so that one run shows them all.
    """

    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, what: str, where: str = "", remedy: str = "", swedish: str = "") -> Self:
        """Make an error of a single problem."""
        return cls([Problem(what, where, remedy, swedish)])

    def __str__(self) -> str:
        """Render every problem, one after the other."""
        return "\n".join(str(problem) for problem in self.problems)
