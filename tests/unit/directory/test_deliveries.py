"""What HR delivers bit by bit gives the same people as a full list; what is missing is told."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.directory.model import Person
from compliance.directory.sources.deliveries import read_list
from compliance.errors import UserError

HEADING = "id;given_name;surname;kind;unit;protected;starts;ends\n"
FULL = f"""{HEADING}\
1;Åsa;Öberg;employee;ksk;yes;;
2;Bo;Ek;employee;ksk;no;2020-01-01;
3;Cecilia;Alm;elected;ks;no;2022-10-15;2026-10-14
"""
CHANGES = f"change;{HEADING}"


class Folder:
    """A folder of deliveries."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def full(self, day: int, text: str = FULL) -> None:
        (self.path / f"people-2026-11-{day:02}.csv").write_text(text, encoding="utf-8")

    def changes(self, since: int, until: int, *rows: str, heading: str = CHANGES) -> None:
        name = f"changes-2026-11-{since:02}--2026-11-{until:02}.csv"
        (self.path / name).write_text(heading + "".join(f"{row}\n" for row in rows), "utf-8")

    def read(self) -> dict[str, list[Person]]:
        found: dict[str, list[Person]] = {}
        for line in read_list(self.path):
            found.setdefault(line.value.id, []).append(line.value)
        return found

    def told(self) -> list[str]:
        with pytest.raises(UserError) as caught:
            self.read()
        assert all(problem.remedy for problem in caught.value.problems)
        return [f"{p.where.removeprefix(f'{self.path}/')}: {p.what}" for p in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.full(20)
    return made


def test_changes_are_laid_over_the_full_list_in_their_order(folder):
    folder.changes(
        21, 23, "changed;4;Dag;Dahl;employee;ks;no;2026-11-21;", "ended;2;;;;;;;2026-11-30"
    )
    folder.changes(20, 21, "added;4;Dag;Dal;employee;ksk;no;2026-11-21;")
    folder.changes(23, 24)
    people = folder.read()
    assert list(people) == ["1", "2", "3", "4"]
    assert (people["4"][0].surname, people["4"][0].unit) == ("Dahl", "ks")
    assert people["2"][0].ends == date(2026, 11, 30)
    assert people["2"][0].surname == "Ek"


def test_nobody_leaves_by_not_being_named(folder):
    folder.changes(20, 21)
    assert list(folder.read()) == ["1", "2", "3"]


def test_somebody_elected_again_has_another_term(folder):
    folder.changes(20, 21, "added;3;Cecilia;Alm;elected;ks;no;2026-11-21;")
    folder.changes(21, 22, "ended;3;;;;;;;2030-10-14")
    first, second = folder.read()["3"]
    assert (first.ends, second.starts) == (date(2026, 10, 14), date(2026, 11, 21))
    assert second.ends == date(2030, 10, 14)


def test_the_newest_full_list_counts_and_older_files_may_stay(folder):
    folder.changes(20, 21, "added;4;Dag;Dal;employee;ksk;no;;")
    folder.full(21)
    folder.changes(21, 22, "added;5;Eva;Ek;employee;ksk;no;;")
    assert list(folder.read()) == ["1", "2", "3", "5"]


def test_a_column_that_is_not_delivered_takes_nothing_away(folder):
    """P1: else a new surname would show a protected person to everybody."""
    heading = "change;id;given_name;surname;kind;unit;ends\n"
    folder.changes(20, 21, "changed;1;Åsa;Ek;employee;ksk;", heading=heading)
    assert folder.read()["1"][0].protected
    assert folder.read()["1"][0].surname == "Ek"


def test_only_a_word_takes_the_protection_from_anyone(folder):
    folder.changes(20, 21, "changed;1;Åsa;Ek;employee;ksk;;;")
    assert folder.read()["1"][0].protected
    folder.changes(21, 22, "changed;1;Åsa;Ek;employee;ksk;no;;")
    assert not folder.read()["1"][0].protected


@pytest.mark.parametrize("mark", ["yes", "ja", "Yes", "TRUE", "x"])
def test_a_row_that_marks_a_protected_identity_shows_nothing_of_it(folder, mark):
    """P1: the columns may have slipped, so that the name stands where something else is meant."""
    folder.changes(20, 21, f"added;Åsa Öberg;4;Åsa;Öberg;ksk;{mark};;")
    (row,) = {line.partition(": ")[0] for line in folder.told()}
    assert row == "changes-2026-11-20--2026-11-21.csv:2"
    assert not any(name in line for line in folder.told() for name in ("Åsa", "Öberg"))


def test_a_gap_is_told_by_its_days(folder):
    folder.changes(20, 21)
    folder.changes(22, 23)
    assert folder.told() == [
        "changes-2026-11-22--2026-11-23.csv: the changes from 2026-11-21 to 2026-11-22 are missing"
    ]


@pytest.mark.parametrize(("since", "until"), [(20, 22), (19, 21)])
def test_what_comes_twice_is_told(folder, since, until):
    folder.changes(20, 21)
    folder.changes(since, until)
    assert any("but what is delivered before reaches to" in line for line in folder.told())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("added;2;Bo;Ek;employee;ksk;no;;", "2 is added, but is in service already"),
        ("changed;9;Bo;Ek;employee;ksk;no;;", "9 is changed, but nobody with this id came before"),
        ("ended;9;;;;;;;2026-11-30", "9 is ended, but nobody with this id came before"),
        ("ended;2;;;;;;;2019-12-31", "2 ends before the first day in service, 2020-01-01"),
        ("ended;2;;;;;;;", "column ends: the last day is missing"),
        ("removed;2;Bo;Ek;employee;ksk;no;;", "column change: 'removed' is not known"),
        ("changed;2;Bo;;employee;ksk;no;;", "column surname: a name is missing"),
        ("added;19811218-9876;Bo;Ek;employee;ksk;no;;",
         "column id: the id is a personal identity number"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_told(folder, row, told):
    folder.changes(20, 21, row)
    assert folder.told() == [f"changes-2026-11-20--2026-11-21.csv:2: {told}"]


@pytest.mark.parametrize(
    "name",
    ["andringar.csv", "changes-2026-11-21--2026-11-20.csv", "people-2026-13-01.csv"],
)
def test_a_file_that_cannot_be_placed_is_told(folder, name):
    (folder.path / name).write_text(CHANGES, encoding="utf-8")
    assert folder.told() == [f"{name}: the name of the file is no delivery's"]


def test_a_folder_without_a_full_list_is_told(tmp_path):
    folder = Folder(tmp_path)
    folder.changes(20, 21)
    assert folder.told() == [f"{tmp_path}: there is no full list of people"]


@given(days=st.sets(st.integers(1, 8), max_size=8))
def test_a_lost_delivery_never_passes(tmp_path_factory, days):
    """Whichever of the daily files are lost, the rest is refused unless only the last are lost."""
    folder = Folder(tmp_path_factory.mktemp("deliveries"))
    folder.full(1)
    for day in range(1, 9):
        if day not in days:
            folder.changes(day, day + 1)
    kept = [day for day in range(1, 9) if day not in days]
    if kept == list(range(1, len(kept) + 1)):
        assert len(folder.read()) == 3
    else:
        assert any("are missing" in line for line in folder.told())
