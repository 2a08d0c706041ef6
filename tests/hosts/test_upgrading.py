"""A new version of the program is taken into use by all that runs it, not only laid on the host."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import servers
from ansible_plays import play_well

ROOT = Path(__file__).parents[2]
# The program of a host is installed by the first of its roles; the log list's comes later.
PHASES = "message_log:install,log_list:install,log_list:run"
RUNNING = "systemctl list-units --type=service --state=running --plain --no-legend 'kommunpost-*'"


def deploy(wheel: Path | str) -> None:
    words = ["--limit", "mail", "--tags", PHASES, "-e", f"message_log_wheel={wheel}"]
    play_well("site.yml", *words)


@pytest.fixture
def new_version(tmp_path):
    """A wheel of the program that differs from the one on the host; afterwards that is back."""
    tree = tmp_path / "tree"
    for name in ("compliance", "templates"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tree)
    with (tree / "compliance/__init__.py").open("a") as file:
        file.write("# another version\n")
    hatchling = [sys.executable, "-m", "hatchling", "build", "--target=wheel"]
    subprocess.run([*hatchling, f"--directory={tmp_path}"], check=True, cwd=tree)
    yield next(tmp_path.glob("*.whl"))
    deploy("")


def test_all_that_runs_is_started_anew_when_the_program_is_another(new_version):
    (server,) = servers.in_groups(["log_list"])

    def processes() -> dict[str, str]:
        units = [line.split()[0] for line in server.lines(RUNNING)]
        shown = "systemctl show --property MainPID --value"
        return {unit: server.host.check_output(f"{shown} {unit}") for unit in units}

    before = processes()
    assert {"kommunpost-milter.service", "kommunpost-log-list.service"} <= before.keys()
    deploy(new_version)
    after = processes()
    assert after.keys() == before.keys()
    assert {unit for unit in before if after[unit] == before[unit]} == set()
