"""How fast the log list's questions are answered: python benchmarks/log_list.py [MILLIONS ...]

Fills a PostgreSQL of its own with so many million entries (10 if none is said) of a town with 9,200
a day, so that a log that grows is a longer one, and asks as the web's role, warm, one unit of 50.
Searches in text look in the last year, as the counts do. Prints medians of 25 in milliseconds, by
the clock and, since that tells little on a machine that others use, of the database's processor
time. Several sizes are asked in turns; then it prints how much the last takes of the first.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import town_log

from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

ROUNDS = 25
UNIT = town_log.UNITS[20]  # of average size
YEAR = town_log.LAST - timedelta(days=365)
# What each question may take, in milliseconds (issue 4).
QUESTIONS = {
    "newest page": 5,
    "page 1,000": 5,
    "address, writes daily": 5,
    "address, writes weekly": 5,
    "address, now and then": 5,
    "address that is none": 5,
    "part of a word": 100,
    "two words as written": 100,
    "diary number": 100,
    "text that is nowhere": 100,
    "words in any form": 100,
    "conversation": 100,
    "count per day, one unit": 50,
    "count per day, all units": 200,
}


def questions(reader: Reader) -> dict[str, Callable[[], list]]:
    """Prepare each question; what is timed includes asking for leave and the trace."""
    deep, place = Filter(unit=UNIT), None
    for _ in range(5):  # 50,000 rows: a thousand pages
        rows = reader.page(deep, place, size=10_000)
        place = Place.of(rows[-1]) if len(rows) == 10_000 else place
    answer = place_of_answer(reader)
    daily, weekly, rare = correspondents(reader)

    def search(**wanted: str) -> Callable[[], list]:
        return lambda: reader.page(Filter(unit=UNIT, since=YEAR, **wanted))

    return {
        "newest page": lambda: reader.page(Filter(unit=UNIT)),
        "page 1,000": lambda: reader.page(Filter(unit=UNIT), place),
        "address, writes daily": lambda: reader.page(Filter(unit=UNIT, address=daily)),
        "address, writes weekly": lambda: reader.page(Filter(unit=UNIT, address=weekly)),
        "address, now and then": lambda: reader.page(Filter(unit=UNIT, address=rare)),
        "address that is none": lambda: reader.page(Filter(unit=UNIT, address="x@y.example")),
        "part of a word": search(part="lekplats"),
        "two words as written": search(part="överklagande staket"),
        "diary number": search(part="KS 2024/00777"),
        "text that is nowhere": search(part="xyzzy"),
        "words in any form": search(words="gatuplan lekplats"),
        "conversation": lambda: reader.conversation(UNIT, answer),
        "count per day, one unit": lambda: reader.counts(Filter(unit=UNIT, since=YEAR)),
        "count per day, all units": lambda: reader.counts(Filter(since=YEAR)),
    }


def correspondents(reader: Reader) -> tuple[str, str, str]:
    """Return who writes to the unit often, who does once a week, and who does now and then.

    The first two fill a page in a log of any size, so their answers are equally long. What the last
    wrote all stands in the answer, which is longer in a longer log.
    """
    rows = reader.page(Filter(unit=UNIT, direction="in"), size=10_000)
    weeks = (rows[0]["accepted_at"] - rows[-1]["accepted_at"]) / timedelta(weeks=1)
    letters = Counter(row["envelope_sender"] for row in rows)
    weekly = min(letters, key=lambda sender: abs(letters[sender] - weeks))
    return letters.most_common(1)[0][0], weekly, rows[199]["envelope_sender"]


def place_of_answer(reader: Reader) -> Place:
    """Return the place of a letter that answers others."""
    rows = reader.page(Filter(unit=UNIT), size=100)
    return next(Place.of(row) for row in rows if row["sequence"] % 4 == 1)


@dataclass
class Found:
    """What a question took in milliseconds by the clock and of the processor, and its rows."""

    name: str
    rows: int
    clock: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        clock, processor = statistics.median(self.clock), statistics.median(self.processor)
        return (
            f"  {self.name:<26}{clock:8.1f} ms   processor {processor:6.1f} ms   "
            f"wanted {QUESTIONS[self.name]} ms   {self.rows} rows"
        )


class Log:
    """A filled log and a reader of it."""

    def __init__(self, millions: float, stack: ExitStack) -> None:
        """Fill a log of so many million entries, which goes with the stack."""
        settings = ("shared_buffers=2GB", "random_page_cost=1.1", "max_wal_size=4GB", "jit=off")
        host = stack.enter_context(town_log.cluster(*settings))
        town_log.make_database(host, int(millions * 1_000_000))
        login = stack.enter_context(town_log.connect(host, "login"))
        web = stack.enter_context(town_log.connect(host, "web"))
        who = Identity("person:1", "Åsa Ek", town_log.UNITS)
        self.millions, self.version = millions, web.info.server_version // 10_000
        self.questions = questions(Reader(web, open_session(login, who, 600)))
        self._pid = web.info.backend_pid

    def ask(self, name: str, found: Found) -> None:
        """Ask once, and note what it took."""
        used, began = town_log.processor_seconds(self._pid), time.perf_counter()
        self.questions[name]()
        found.clock.append((time.perf_counter() - began) * 1000)
        found.processor.append((town_log.processor_seconds(self._pid) - used) * 1000)


def measure(logs: list[Log]) -> list[list[Found]]:
    """Ask each question of all logs in turns; return for each log what its questions took.

    In turns, since a slow moment of the machine then meets all.
    """
    found: list[list[Found]] = [[] for _ in logs]
    for name in QUESTIONS:
        row = [Found(name, len(log.questions[name]())) for log in logs]
        for _ in range(ROUNDS):
            for log, one in zip(logs, row, strict=True):
                log.ask(name, one)
        for of_log, one in zip(found, row, strict=True):
            of_log.append(one)
    return found


def growth(small: Found, large: Found) -> float:
    """Return how much more of the processor the larger log takes: the median over the rounds."""
    pairs = zip(small.processor, large.processor, strict=True)
    return statistics.median(more / less for less, more in pairs)


def main() -> None:
    sizes = [float(size) for size in sys.argv[1:]] or [10.0]
    with ExitStack() as stack:
        logs = [Log(size, stack) for size in sizes]
        found = measure(logs)
    for log, questions_found in zip(logs, found, strict=True):
        print(f"PostgreSQL {log.version}, {log.millions:g} million entries, unit {UNIT}")
        print(*questions_found, sep="\n")
    if len(sizes) > 1:
        print(f"From {sizes[0]:g} to {sizes[-1]:g} million entries, by processor time:")
        for small, large in zip(found[0], found[-1], strict=True):
            rows = f"rows {small.rows} to {large.rows}"
            print(f"  {small.name:<26}{growth(small, large):6.2f}   {rows}")


if __name__ == "__main__":
    main()
