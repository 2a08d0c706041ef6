"""What roles say of their data fits the program that copies; old copies go, and only those."""

import os
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from rendering import ROLES, Host

from compliance.backup import plan

EXPIRE = ROLES / "backup_store/files/kommunpost-copies-expire"
SERVE = ROLES / "backup_store/files/kommunpost-copies-serve"
SAID = sorted(ROLES.glob("*/files/backup.yml"))
DAY = 24 * 60 * 60


@pytest.mark.parametrize("path", SAID, ids=lambda path: path.parts[-3])
def test_what_a_role_says_of_its_data_is_understood(path: Path) -> None:
    part = plan.Part.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    assert part.role == path.parts[-3]
    if part.program is not None:
        assert os.access(path.with_name(part.program.name), os.X_OK)
    installed = (path.parents[1] / "tasks/install.yml").read_text(encoding="utf-8")
    assert part.program is None or str(part.program) in installed


def test_the_examples_host_copies_what_each_of_its_roles_says(tmp_path: Path) -> None:
    host = Host("backup", tmp_path / "secrets", {})
    written = tmp_path / "plan.yml"
    written.write_text(host.render(ROLES / "backup/templates/plan.yml.j2", {}), encoding="utf-8")
    loaded = plan.load(written)
    assert loaded.host == "mail"
    assert {part.role for part in loaded.parts} == {path.parts[-3] for path in SAID}


def _copy(folder: Path, host: str, month: str, days_old: float) -> Path:
    """Lay down a month whose newest file is so old."""
    found = folder / host / month / "data"
    found.mkdir(parents=True)
    for name, age in (("first", days_old + 20), ("last", days_old)):
        (found / name).write_text("x")
        at = time.time() - age * DAY
        os.utime(found / name, (at, at))
    return found.parent


def _expire(folder: Path) -> None:
    subprocess.run([EXPIRE, folder, "60"], check=True, capture_output=True)


def test_a_month_goes_when_its_newest_file_is_old_enough(tmp_path: Path) -> None:
    old = _copy(tmp_path, "mail", "2026-08", 61)
    kept = [_copy(tmp_path, "mail", "2026-09", 59), _copy(tmp_path, "mail", "2026-11", 0)]
    _expire(tmp_path)
    assert not old.exists()
    assert [len(list(month.rglob("*"))) for month in kept] == [3, 3]


def test_the_newest_month_of_each_host_stays_however_old(tmp_path: Path) -> None:
    months = [_copy(tmp_path, "lost", "2025-01", 600), _copy(tmp_path, "lost", "2025-02", 570)]
    other = _copy(tmp_path, "mail", "2026-11", 0)
    _expire(tmp_path)
    assert [month.exists() for month in [*months, other]] == [False, True, True]


def test_nothing_outside_the_copies_goes(tmp_path: Path) -> None:
    outside = _copy(tmp_path / "other", "precious", "2020-01", 900)
    _copy(tmp_path / "copies", "mail", "2026-11", 0)
    (tmp_path / "copies/mail/2020-01").symlink_to(outside)
    _expire(tmp_path / "copies")
    assert len(list(outside.rglob("*"))) == 3


@pytest.mark.parametrize(
    "asked",
    ["", "sh", "serve restic ../mail/2026-11", "serve restic 2026-11 x", "2026-11\nrm", "2026-1x"],
)
def test_a_host_gets_nothing_but_a_month_of_its_own(asked: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [SERVE], env={"SSH_ORIGINAL_COMMAND": asked, "HOME": str(tmp_path), "PATH": "/nowhere"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nothing else" in done.stderr
