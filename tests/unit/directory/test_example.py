"""The example municipality is what the README beside it says, and the generator makes it."""

import importlib.util
import json
from collections import Counter
from pathlib import Path

import pytest

from compliance.directory import show
from compliance.directory.model import PersonKind, UnitKind
from compliance.directory.sources.files import FileSource
from compliance.directory.sources.gather import gather

INVENTORY = Path(__file__).parents[3] / "inventory"
EXAMPLE = INVENTORY / "example"
FILES = ("organisation.yml", "people.csv", "pcs.csv")


@pytest.fixture(scope="module")
def example():
    return gather(FileSource(*(EXAMPLE / name for name in FILES)))


def test_it_has_the_size_that_it_says(example):
    assert Counter(person.kind for person in example.people) == {
        PersonKind.EMPLOYEE: 600,
        PersonKind.ELECTED: 35,
    }
    assert Counter(unit.kind for unit in example.units) == {
        UnitKind.AUTHORITY: 5,
        UnitKind.ADMINISTRATION: 5,
        UnitKind.DEPARTMENT: 14,
    }
    assert (len(example.positions), len(example.pcs)) == (40, 550)
    assert sum(person.protected for person in example.people) == 2
    assert all(len(position.holders) == 1 for position in example.positions)
    owners = Counter(min(len(pc.owners), 2) for pc in example.pcs)
    assert owners[1] > 500
    assert owners[2] > 10
    assert owners[0] > 5


def test_the_commissioner_is_elected_and_has_a_pc(example):
    post = next(p for p in example.positions if p.id == example.commissioner)
    holder = next(person for person in example.people if person.id == post.holders[0])
    assert holder.kind is PersonKind.ELECTED
    assert any(holder.id in pc.owners for pc in example.pcs)


def test_four_people_have_the_same_name(example):
    names = Counter((person.given_name, person.surname) for person in example.people)
    assert names[("Anna", "Johansson")] == 4


def test_the_generator_makes_these_very_files(tmp_path):
    spec = importlib.util.spec_from_file_location("example", INVENTORY / "generate_example.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write_example(tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes()


def test_the_plan_as_json_lists_every_mailbox_and_no_protected_name(example, settle):
    plan, _ = settle(example)
    listed = json.loads(show.as_json(plan))
    assert len(listed) == 635 + 24 + 40 + 9
    assert all(item["address"] and item["kind"] and item["holder"] for item in listed)
    assert {item["action"] for item in listed} == {"create"}
    hidden = [person for person in example.people if person.protected]
    shown = show.as_json(plan) + "\n".join(show.as_text(plan))
    for person in hidden:
        assert person.surname.lower() not in shown.lower()
        assert f"referens.{person.id}@sjovalla.example" in shown
