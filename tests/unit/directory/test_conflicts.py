"""Sources that contradict each other are told beside a plan that works."""

from dataclasses import replace
from pathlib import Path

import pytest

from compliance.directory import show
from compliance.directory.model import Conflict, Notice
from compliance.directory.plan import Action
from compliance.errors import UserError

from .conftest import ORGANISATION, PCS, PEOPLE, Files

HANDBOOK = Path(__file__).parents[3] / "docs/handbook/it-tekniker.md"
WITHOUT_TWO = PEOPLE.replace("2;Bo;Erik;Ek;employee;ksk;;\n", "")


def test_a_pc_that_nobody_owns_is_told(organisation, settle):
    plan, _ = settle(organisation)
    assert plan.notices == (Notice(Conflict.PC_WITHOUT_OWNER, "PC PC3"),)


def test_an_owner_whom_nobody_knows_is_told_and_stays_visible(files: Files, settle):
    files.write(pcs=PCS.replace("PC2;1 2", "PC2;1 9").replace("PC3;;", "PC3;1;"))
    plan, held = settle(files.read())
    assert plan.notices == (Notice(Conflict.OWNER_UNKNOWN, "PC PC2: 9"),)
    owners = held.entries["cn=pc2,ou=devices"].attributes["owner"]
    assert any(owner.startswith("uid=9,") for owner in owners), "the audit must see it"


def test_whoever_left_and_still_owns_or_watches_is_told_and_shut_out(files: Files, settle):
    _, held = settle(files.read())
    files.write(people=WITHOUT_TWO)
    plan, held = settle(files.gathered(), held)
    assert set(plan.notices) == {
        Notice(Conflict.OWNER_LEFT, "PC PC2: 2"),
        Notice(Conflict.PC_WITHOUT_OWNER, "PC PC3"),
        Notice(Conflict.WATCH_LEFT, "unit ks: deputy 2"),
        Notice(Conflict.WATCH_LEFT, "unit ksk: deputy 2"),
    }
    assert plan.counts()[Action.SUSPEND] == 1
    again, _ = settle(files.gathered(), held)
    assert again.is_empty
    assert again.notices == plan.notices, "told until the lists are mended"


def test_a_holder_who_left_is_told(files: Files, settle):
    _, held = settle(files.read())
    files.write(people=PEOPLE.replace("3;Cecilia;;Alm;elected;ks;;\n", ""))
    plan, _ = settle(files.gathered(), held)
    assert Notice(Conflict.HOLDER_LEFT, "position kommunalrad: holder 3") in plan.notices


@pytest.mark.parametrize(
    ("deputy", "status"), [("1", ""), ("2", "suspended"), ("2", "on_leave;;3")]
)
def test_a_leave_whose_deputy_reads_nothing_is_told(files: Files, settle, deputy, status):
    """Oneself, somebody who may not log in, somebody who is away too."""
    two, _, instead = status.partition(";;")
    files.write(
        people="id;given_name;surname;kind;unit;status;deputy\n"
        f"1;Åsa;Öberg;employee;ksk;on_leave;{deputy}\n"
        f"2;Bo;Ek;employee;ksk;{two};{instead}\n"
        "3;Cecilia;Alm;elected;ks;;\n"
    )
    plan, _ = settle(files.read())
    told = [one for one in plan.notices if one.conflict is Conflict.LEAVE_WITHOUT_DEPUTY]
    assert told == [
        Notice(Conflict.LEAVE_WITHOUT_DEPUTY, f"person 1: deputy during leave {deputy}")
    ]


@pytest.mark.parametrize("role", ["watcher", "deputy"])
def test_whoever_never_was_there_still_stops_the_plan(files: Files, settle, role):
    _, held = settle(files.read())
    number = {"watcher": "1", "deputy": "2"}[role]
    files.write(organisation=ORGANISATION.replace(f'{role}: "{number}"', f"{role}: 8", 1))
    with pytest.raises(UserError, match=f"{role}: there is no person 8"):
        settle(files.gathered(), held)


def test_every_conflict_has_its_words(organisation, settle):
    plan, _ = settle(organisation)
    some = [Notice(conflict, f"x{number}") for number in (1, 2) for conflict in Conflict]
    lines = list(show.as_text(replace(plan, notices=tuple(some))))
    for conflict in Conflict:
        at = next(n for n, line in enumerate(lines) if line.startswith(f"? {conflict} (2)"))
        assert lines[at].endswith("x1; x2")
        assert lines[at + 1].startswith("  What to do: ")


def test_the_technicians_handbook_explains_every_conflict():
    text = HANDBOOK.read_text(encoding="utf-8")
    section = text.partition("\n## Vad varje anmärkning betyder\n")[2].partition("\n## ")[0]
    headings = [
        line.removeprefix("### ") for line in section.splitlines() if line.startswith("### ")
    ]
    assert headings == list(Conflict)
