"""What a role finds wrong before it changes anything, told to the technician who deploys."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: {tasks}
"""
SOUND = """
log_list_name: loggningslista.sjovalla.example
log_list_workers: 2
log_list_oidc: {}
publication_intranet_name: intranat.sjovalla.example
publication_public_name: www.sjovalla.example
"""


@pytest.fixture
def preflight(tmp_path):
    """Run the preflight of the log list's role with a mapping; return how it ended."""

    def run(mapping: Path) -> subprocess.CompletedProcess[str]:
        book, variables = tmp_path / "book.yml", tmp_path / "variables.yml"
        book.write_text(BOOK.format(tasks=ROOT / "roles/log_list/tasks/preflight.yml"))
        variables.write_text(f"{SOUND}log_list_diary_mapping: {json.dumps(str(mapping))}\n")
        return subprocess.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                *("-i", "localhost,", "-e", f"@{variables}", book),
            ],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip

    return run


def test_the_example_municipalitys_mapping_is_let_through(preflight):
    done = preflight(ROOT / "inventory/example/diary.yml")
    assert done.returncode == 0, done.stdout


def test_a_broken_mapping_of_the_diary_stops_a_deployment_with_its_line(preflight, tmp_path):
    broken = tmp_path / "diary.yml"
    text = (ROOT / "inventory/example/diary.yml").read_text(encoding="utf-8")
    broken.write_text(text.replace("{year}/{serial}", "{år}/{serial}"), encoding="utf-8")
    done = preflight(broken)
    assert done.returncode == 2
    line = 1 + text[: text.index("patterns:")].count("\n")
    assert f"{broken}:{line}: " in done.stdout
    assert "write it with each of {serial}" in done.stdout
