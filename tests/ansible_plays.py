"""Playbooks, run on the lab as a technician runs them. $KOMMUNPOST_INVENTORY says on which."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
INVENTORY = Path(os.environ.get("KOMMUNPOST_INVENTORY", ROOT / "build/lab/inventory.yml"))


def play(book: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a book to its end, well or not; words: what else stands on the command line."""
    command = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [command, "-i", INVENTORY, ROOT / "playbooks" / book, *words],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=900,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip


def play_well(book: str, *words: str) -> str:
    """Run a book that has to end well; return what it said."""
    done = play(book, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout
