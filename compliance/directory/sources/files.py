"""The source that every municipality has: three files."""

from dataclasses import dataclass
from pathlib import Path

from compliance.directory.model import Notice, Pc, Person
from compliance.directory.sources import Located, Structure
from compliance.directory.sources.deliveries import read_list
from compliance.directory.sources.organisation import read_structure
from compliance.directory.sources.records import read_pcs


@dataclass(frozen=True)
class FileSource:
    """organisation.yml, people.csv and pcs.csv, as a `Source`."""

    organisation: Path
    people_file: Path
    pcs_file: Path

    def structure(self) -> Structure:
        """Give units, positions and duties."""
        return read_structure(self.organisation)

    def people(self) -> list[Located[Person]]:
        """Give employees and elected members."""
        return read_list(self.people_file)

    def pcs(self) -> list[Located[Pc]]:
        """Give the PCs that are joined to the municipal network."""
        return read_pcs(self.pcs_file)

    def notices(self) -> tuple[Notice, ...]:
        """Give none: what does not fit in a file is a fault in it."""
        return ()
