"""How fast the log list's questions are answered: python benchmarks/log_list.py [MILLIONS ...]

Fills a PostgreSQL of its own with so many million entries (10 if none is said) of a town with 9,200
a day, so that a log that grows is a longer one, and asks as the web's role, warm, one unit of 50.
Searches in text look in the last year, as the counts do. Prints the median of 15 in milliseconds
and, since a machine that others use tells little by the clock, the mean of the database's processor
time. With several sizes it prints how much the last takes of the first.
"""

import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import town_log

from compliance.messagelog.reading import Filter, Identity, Place, Reader, open_session

ROUNDS = 15
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
    """What a question took in milliseconds, the mean of processor time, and the rows it gave."""

    median: float
    processor: float
    rows: int


def measure(millions: float) -> dict[str, Found]:
    """Ask each question of a log of so many million entries."""
    settings = ("shared_buffers=2GB", "random_page_cost=1.1", "max_wal_size=4GB", "jit=off")
    found = {}
    with town_log.cluster(*settings) as host:
        town_log.make_database(host, int(millions * 1_000_000))
        who = Identity("person:1", "Åsa Ek", town_log.UNITS)
        with town_log.connect(host, "login") as login, town_log.connect(host, "web") as web:
            reader = Reader(web, open_session(login, who, 600))
            for name, ask in questions(reader).items():
                answered = len(ask())
                seconds, used = [], town_log.processor_seconds(web.info.backend_pid)
                for _ in range(ROUNDS):
                    began = time.perf_counter()
                    ask()
                    seconds.append(time.perf_counter() - began)
                used = town_log.processor_seconds(web.info.backend_pid) - used
                median = statistics.median(seconds) * 1000
                found[name] = Found(median, used / ROUNDS * 1000, answered)
            version = web.info.server_version // 10_000
    print(f"PostgreSQL {version}, {millions:g} million entries, unit {UNIT}, as kommunpost_web")
    for name, of in found.items():
        print(
            f"  {name:<26}{of.median:8.1f} ms   processor {of.processor:6.1f} ms   "
            f"wanted {QUESTIONS[name]} ms   {of.rows} rows"
        )
    return found


def main() -> None:
    sizes = [float(size) for size in sys.argv[1:]] or [10.0]
    measured = [measure(size) for size in sizes]
    if len(sizes) > 1:
        print(f"From {sizes[0]:g} to {sizes[-1]:g} million entries, by processor time:")
        for name in QUESTIONS:
            first, last = measured[0][name], measured[-1][name]
            growth = last.processor / max(first.processor, 0.5)
            print(f"  {name:<26}{growth:6.2f}   rows {first.rows} to {last.rows}")


if __name__ == "__main__":
    main()
