"""Deploying twice changes nothing, and bad input stops before any host is touched."""

import re
from pathlib import Path

import pytest
import yaml
from ansible_plays import play, play_well

ROOT = Path(__file__).parents[2]


def _recap(output: str) -> dict[str, dict[str, int]]:
    lines = output.split("PLAY RECAP")[1].splitlines()[1:]
    return {
        line.split()[0]: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}
        for line in lines
        if ":" in line
    }


@pytest.mark.parametrize("book", ["site.yml", "directory.yml"])
def test_deploying_again_changes_nothing(book):
    said = play_well(book)
    recap = _recap(said)
    assert recap
    changes = re.findall(r"TASK \[(.+?)\] \*+\n(?:.*\n)*?changed:", said)
    assert {host: counts["changed"] for host, counts in recap.items()} == dict.fromkeys(recap, 0), (
        changes
    )


@pytest.mark.parametrize(
    ("source", "before", "after", "told"),
    [
        ("people", ";employee;ksk;no", ";employee;ingenstans;no", "ingenstans"),
        ("people", "10002;", "10001;", "10001"),
        ("people", "10003;Irene;", '10003;"Irene;', "people.csv"),
        ("organisation", "commissioner: kommunalrad", "commissioner: [", "organisation.yml"),
    ],
    ids=["unknown unit", "a person twice", "broken line", "malformed YAML"],
)
def test_bad_input_stops_before_any_host_is_touched(tmp_path, source, before, after, told):
    name = {"people": "people.csv", "organisation": "organisation.yml", "pcs": "pcs.csv"}
    paths = {key: str(ROOT / "inventory/example" / file) for key, file in name.items()}
    broken = tmp_path / name[source]
    text = Path(paths[source]).read_text(encoding="utf-8-sig")
    assert before in text
    broken.write_text(text.replace(before, after, 1), encoding="utf-8")
    paths[source] = str(broken)
    variables = tmp_path / "variables.yml"
    variables.write_text(yaml.safe_dump({"municipality_sources": paths}))
    done = play("site.yml", "-e", f"@{variables}")
    assert done.returncode != 0
    assert told in done.stdout
    assert re.search(re.escape(str(broken)) + r":\d+", done.stdout), "file and line are named"
    assert set(_recap(done.stdout)) == {"localhost"}, "a host was touched"
