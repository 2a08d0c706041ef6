"""Which control answers which clause, as data: one YAML file per framework."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from compliance.texts import Text


@dataclass(frozen=True)
class Clause:
    """A clause of a framework and the ids of the controls that answer it, maybe none yet."""

    name: str
    title: Text
    controls: tuple[str, ...]


def strategy() -> tuple[Clause, ...]:
    """Return the clauses of the municipality's e-mail strategy, in its own order."""
    path = Path(__file__).with_name("strategy.yml")
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        Clause(item["clause"], Text(**item["title"]), tuple(item["controls"]))
        for item in raw["clauses"]
    )
