"""Benchmarks that need no lab still run: small where they measure time, and not for how fast."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 900


@pytest.mark.parametrize(
    ("command", "figure"),
    [
        ("diary_match --seed 1", r"precision.*\d"),
        ("directory.py 50", r"plan, unchanged +\d"),
        ("log_list.py 0.06", r"count per day, all units +\d.*[1-9]\d* rows"),
        ("log_list_load.py 0.06", r"errors: 0$"),
        ("reconcile.py 200", r"reconcile of 200 messages: \d"),
        ("ship.py 2000", r"entries_per_second=\d"),
        ("verify.py 500 20", r"^a unit and day +\d"),
    ],
)
def test_a_benchmark_measures_what_it_names(command, figure):
    program, *arguments = command.split()
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / program, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(figure, done.stdout, re.MULTILINE), done.stdout
