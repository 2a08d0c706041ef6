"""What the directory's tests share: a small sound municipality, as files and as values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from local_directory import LocalDirectory

from compliance import settings
from compliance.directory.apply import writes_of
from compliance.directory.conflicts import notices_of
from compliance.directory.ldap import connect
from compliance.directory.model import Organisation, Person, PersonKind
from compliance.directory.plan import Action, MailboxPlan, make_plan
from compliance.directory.sources.files import FileSource
from compliance.directory.sources.gather import gather
from compliance.directory.tree import Held

DOMAIN = "sjovalla.example"
BASE = "dc=sjovalla,dc=example"
TODAY = date(2026, 11, 24)
ANSWER_DAYS = 90

ORGANISATION = """\
municipality: Sjövalla kommun
commissioner: kommunalrad
executive_office: ksk
units:
  - id: ks
    name: Kommunstyrelsen
    kind: authority
    watcher: "1"
    deputy: "2"
  - id: ksk
    name: Kommunstyrelsekontoret
    kind: administration
    parent: ks
    watcher: "1"
    deputy: "2"
positions:
  - id: kommunalrad
    name: Kommunalråd
    unit: ks
    holders: ["3"]
"""
PEOPLE = """\
id;given_name;middle_name;surname;kind;unit;status;protected
1;Åsa;;Öberg;employee;ksk;active;no
2;Bo;Erik;Ek;employee;ksk;;
3;Cecilia;;Alm;elected;ks;;
"""
PCS = """\
name;owners;unit
PC1;1;ksk
PC2;1 2;ksk
PC3;;ks
"""


@dataclass
class Files:
    """The three files of a source in a folder of their own."""

    folder: Path

    def write(self, organisation: str = ORGANISATION, people: str = PEOPLE, pcs: str = PCS) -> None:
        (self.folder / "organisation.yml").write_text(organisation, encoding="utf-8")
        (self.folder / "people.csv").write_text(people, encoding="utf-8")
        (self.folder / "pcs.csv").write_text(pcs, encoding="utf-8")

    @property
    def source(self) -> FileSource:
        names = ("organisation.yml", "people.csv", "pcs.csv")
        return FileSource(*(self.folder / name for name in names))

    def read(self) -> Organisation:
        """Read as `kommunpost directory check` does: whoever is unknown never was there."""
        found = self.gathered()
        notices_of(found)
        return found

    def gathered(self) -> Organisation:
        """Read as a plan does, which asks the directory who was there before."""
        return gather(self.source)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.write()
    return made


@pytest.fixture
def organisation(files: Files) -> Organisation:
    return files.read()


def person(number: int | str, given: str, surname: str, **more: object) -> Person:
    fields = {"middle_name": "", "kind": PersonKind.EMPLOYEE, "unit": "ksk", **more}
    return Person(id=str(number), given_name=given, surname=surname, **fields)  # type: ignore[arg-type]


def applied(plan: MailboxPlan, held: Held) -> Held:
    """Do to a `Held` what apply does to LDAP."""
    entries = dict(held.entries)
    for change in plan.changes:
        if change.action is Action.CLOSE and change.mailbox.leaves_no_trace:
            del entries[change.mailbox.rdn.lower()]
        else:
            entries[change.mailbox.rdn.lower()] = change.mailbox
    groups = {c.mailbox.rdn.lower(): c.mailbox for c in plan.groups if c.action is not Action.CLOSE}
    return Held(entries, {**held.ledger, **plan.records}, groups)


@pytest.fixture
def settle() -> Callable[..., tuple[MailboxPlan, Held]]:
    """Plan for an organisation and apply: gives the plan and what is held afterwards."""

    def run(
        organisation: Organisation, held: Held | None = None, day: date = TODAY
    ) -> tuple[MailboxPlan, Held]:
        held = held or Held()
        plan = make_plan(organisation, DOMAIN, BASE, held, day, ANSWER_DAYS)
        return plan, applied(plan, held)

    return run


@pytest.fixture
def directory(tmp_path: Path, organisation: Organisation) -> Iterator[settings.Directory]:
    """A slapd of the test's own that holds the small municipality."""
    slapd = LocalDirectory(tmp_path)
    slapd.start()
    loaded = settings.load(slapd.settings(tmp_path)).require_directory()
    plan = make_plan(organisation, DOMAIN, BASE, Held(), TODAY, ANSWER_DAYS)
    with connect(loaded, "writer") as connection:
        for write in writes_of(connection, BASE, plan):
            write()
    yield loaded
    slapd.stop()
