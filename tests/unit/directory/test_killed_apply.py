"""`apply` is killed at random points against a real slapd; the next run makes up for it.

Five times here; `make prove` does it fifty times.
"""

from pathlib import Path

from directory_kills import Killing

KILLS = 5


def test_an_apply_that_is_killed_anywhere_is_made_up_for_by_the_next(tmp_path: Path) -> None:
    killing = Killing(tmp_path)
    assert killing.writes > 60, "the tap must see the writes, or no kill comes in between"
    for seed in range(KILLS):
        killing.kill_and_run_again(seed)
