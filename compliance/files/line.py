"""One line of a table, whatever kind of file it stood in."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of a line as text, stripped, and where it stood: `people.csv:17`."""

    cells: Sequence[str]
    where: str

    def where_of(self, at: int) -> str:  # noqa: ARG002
        """Say where a cell stands, counted from 0; a line of text is found by its number alone."""
        return self.where
