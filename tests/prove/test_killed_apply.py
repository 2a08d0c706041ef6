"""Fifty times `apply` is killed at a random point, and the next run ends in the same directory."""

from pathlib import Path

from directory_kills import Killing

KILLS = 50


def test_the_next_run_ends_in_the_same_directory(tmp_path: Path) -> None:
    killing = Killing(tmp_path)
    for seed in range(1000, 1000 + KILLS):
        killing.kill_and_run_again(seed)
