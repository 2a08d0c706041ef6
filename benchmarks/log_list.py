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
from collections.abc import Callable
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
    "address": 5,
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


def questions(reader: Reader) -> dict[str, Callable[[], object]]:
    """Prepare each question; what is timed includes asking for leave and the trace."""
    deep, place = Filter(unit=UNIT), None
    for _ in range(5):  # 50,000 rows: a thousand pages
        rows = reader.page(deep, place, size=10_000)
        place = Place.of(rows[-1]) if len(rows) == 10_000 else place
    answer = place_of_answer(reader)
    address = reader.page(Filter(unit=UNIT, direction="in"), size=200)[-1]["envelope_sender"]

    def search(**wanted: str) -> Callable[[], object]:
        return lambda: reader.page(Filter(unit=UNIT, since=YEAR, **wanted))

    return {
        "newest page": lambda: reader.page(Filter(unit=UNIT)),
        "page 1,000": lambda: reader.page(Filter(unit=UNIT), place),
        "address": lambda: reader.page(Filter(unit=UNIT, address=address)),
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


def place_of_answer(reader: Reader) -> Place:
    """Return the place of a letter that answers others."""
    rows = reader.page(Filter(unit=UNIT), size=100)
    return next(Place.of(row) for row in rows if row["sequence"] % 4 == 1)


def measure(millions: float) -> dict[str, tuple[float, float]]:
    """Return the median time and the mean processor time of each question in milliseconds."""
    settings = ("shared_buffers=2GB", "random_page_cost=1.1", "max_wal_size=4GB", "jit=off")
    found = {}
    with town_log.cluster(*settings) as host:
        town_log.make_database(host, int(millions * 1_000_000))
        who = Identity("person:1", "Åsa Ek", town_log.UNITS)
        with town_log.connect(host, "login") as login, town_log.connect(host, "web") as web:
            reader = Reader(web, open_session(login, who, 600))
            for name, ask in questions(reader).items():
                ask()
                seconds, used = [], town_log.processor_seconds(web.info.backend_pid)
                for _ in range(ROUNDS):
                    began = time.perf_counter()
                    ask()
                    seconds.append(time.perf_counter() - began)
                used = town_log.processor_seconds(web.info.backend_pid) - used
                found[name] = (statistics.median(seconds) * 1000, used / ROUNDS * 1000)
            version = web.info.server_version // 10_000
    print(f"PostgreSQL {version}, {millions:g} million entries, unit {UNIT}, as kommunpost_web")
    for name, (median, used) in found.items():
        limit = QUESTIONS[name]
        print(f"  {name:<26}{median:8.1f} ms   processor {used:6.1f} ms   wanted {limit} ms")
    return found


def main() -> None:
    sizes = [float(size) for size in sys.argv[1:]] or [10.0]
    measured = [measure(size) for size in sizes]
    if len(sizes) > 1:
        print(f"From {sizes[0]:g} to {sizes[-1]:g} million entries, by processor time:")
        for name in QUESTIONS:
            first, last = measured[0][name][1], measured[-1][name][1]
            print(f"  {name:<26}{last / max(first, 0.5):6.2f}")


if __name__ == "__main__":
    main()
