"""Every role is built alike, so that who knows one knows all."""

import subprocess
import sys

import pytest
import yaml
from rendering import ROLES, ROOT, role_names

PHASES = ["preflight", "install", "configure", "run"]


@pytest.mark.parametrize("role", role_names())
def test_a_role_runs_its_phases_in_order_each_with_its_tag(role: str) -> None:
    tasks = yaml.safe_load((ROLES / role / "tasks/main.yml").read_text(encoding="utf-8"))
    imported = [task["ansible.builtin.import_tasks"].removesuffix(".yml") for task in tasks]
    assert imported == [phase for phase in PHASES if phase in imported]
    for task, phase in zip(tasks, imported, strict=True):
        assert f"{role}:{phase}" in task["tags"]


def test_every_folder_in_roles_is_a_whole_role() -> None:
    assert role_names() == sorted(path.name for path in ROLES.iterdir() if path.is_dir())


def test_each_readme_has_the_table_of_the_roles_variables() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "bin/role-readme", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr + "run bin/role-readme"
