"""Where the municipality's people, PCs and organisation come from, behind one interface.

A source hands over records with the place where each stood; `gather` holds them against each
other. Every problem in every file is collected before one UserError tells them all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from compliance.directory.model import Notice, Pc, Person, Position, Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Located(Generic[T]):
    """A record and where it stood, as a person finds it again: `people.csv:17`."""

    value: T
    where: str


@dataclass(frozen=True, slots=True)
class Structure:
    """What the municipality has decided about itself: units, positions and two duties."""

    municipality: Located[str]
    units: Sequence[Located[Unit]]
    positions: Sequence[Located[Position]]
    commissioner: Located[str]
    executive_office: Located[str]


class Source(Protocol):
    """One reader per kind of source. Each method raises UserError with all its problems."""

    def structure(self) -> Structure:
        """Give units, positions and duties."""

    def people(self) -> Sequence[Located[Person]]:
        """Give employees and elected members."""

    def pcs(self) -> Sequence[Located[Pc]]:
        """Give the PCs that are joined to the municipal network."""

    def notices(self) -> Sequence[Notice]:
        """Give what did not fit within the source; asked when the three others have answered."""
