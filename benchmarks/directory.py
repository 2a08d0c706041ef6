"""Plan and apply against a real slapd: python benchmarks/directory.py [PEOPLE ...]

For each number of people (1,000, 10,000 and 100,000 if none is given) a fresh slapd, configured as
the role does it, each write on disk before its answer. Prints, for the program from its start to
its end as a technician runs it, seconds, seconds of processor time (which a loaded machine
stretches less) and peak memory: of the first plan, apply, and the plan when nothing has changed.
The last column is the processor time against that of the size before. For ten times as many,
n log n would be 13.3 from 1,000 to 10,000, and 12.5 from there to 100,000.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("inventory", "tests", "tests/roles")]

from generate_example import GIVEN, SURNAMES, UNITS, write_example  # noqa: E402
from local_directory import LocalDirectory  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
GIB = 1024**3
STEPS = ("plan, empty", "apply", "plan, unchanged")


def municipality(folder: Path, number: int) -> None:
    """Write the example, with more people from the same names and a PC for nine in ten."""
    folder.mkdir()
    write_example(folder)
    chance = Random(number)
    units = [unit[0] for unit in UNITS if unit[4]]
    given, surnames = GIVEN.split(), SURNAMES.split()
    with (folder / "people.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        already = 635
        for person in range(number - already):
            # Of a hundred surnames two are joined: a town has more names than the example.
            surname = "-".join(chance.sample(surnames, chance.choice((1, 1, 2))))
            writer.writerow(
                [100_000 + person, chance.choice(given), chance.choice(given), surname,
                 "employee", chance.choice(units), "no"]
            )  # fmt: skip
    with (folder / "pcs.csv").open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        for person in range(int((number - already) * 0.9)):
            writer.writerow([f"PCX{person:06}", 100_000 + person, chance.choice(units)])


class Figures(NamedTuple):
    """Seconds, seconds of processor time, and peak memory in MiB."""

    seconds: float
    processor: float
    memory: float


def measured(settings: Path, *words: str) -> Figures:
    """Run the command line."""
    command = [Path(sys.executable).with_name("kommunpost"), "directory", *words]
    started = time.monotonic()
    process = subprocess.Popen(
        command, env={**os.environ, "KOMMUNPOST_CONFIG": str(settings)}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status:
        raise SystemExit(f"{words}: exit status {os.waitstatus_to_exitcode(status)}")
    return Figures(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


@contextmanager
def directory() -> Iterator[LocalDirectory]:
    with tempfile.TemporaryDirectory(prefix="kpbench") as folder:
        made = LocalDirectory(Path(folder), is_durable=True, max_bytes=4 * GIB)
        made.start()
        try:
            yield made
        finally:
            made.stop()


def run(number: int) -> dict[str, Figures]:
    """Measure the three steps for one number of people."""
    with directory() as held:
        municipality(held.folder / "town", number)
        settings = held.settings(held.folder / "town")
        steps: list[Callable[[], Figures]] = [
            lambda: measured(settings, "plan"),
            lambda: measured(settings, "apply"),
            lambda: measured(settings, "plan"),
        ]
        return {name: step() for name, step in zip(STEPS, steps, strict=True)}


def main() -> None:
    load = os.getloadavg()[0]
    print(f"Load of the machine at the start: {load:.1f} on {os.cpu_count()} processors")
    print(f"{'people':>8}  {'step':16} {'seconds':>9} {'processor':>10} {'MiB':>6} {'growth':>7}")
    before: dict[str, Figures] = {}
    for number in map(int, sys.argv[1:] or SIZES):
        found = run(number)
        for name, (seconds, processor, memory) in found.items():
            growth = f"{processor / before[name].processor:.1f}" if before else ""
            print(
                f"{number:8}  {name:16} {seconds:9.2f} {processor:10.2f} {memory:6.0f} {growth:>7}",
                flush=True,
            )
        before = found


if __name__ == "__main__":
    main()
