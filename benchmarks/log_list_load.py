"""Many reviewers at the log list at once: python benchmarks/log_list_load.py [MILLIONS]

A PostgreSQL of its own with so many million entries (10 if none is said), a slapd, and gunicorn as
role log_list runs it; 200 reviewers of 50 units, each clicking every ten seconds for two minutes:
their list, older pages, a search, an address, an entry. The clients and all servers share the
machine's processors. nginx and its TLS are not before it. Prints, for each kind of page and for
all, how many, the median and the 95th percentile in milliseconds, and the answers that were wrong.
The first ten seconds after the service's start, in which it connects, are told apart.
"""

import asyncio
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import town_log

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tests/roles")]

from local_directory import BASE, LocalDirectory  # noqa: E402

READERS, PAUSE, SECONDS, START = 200, 10.0, 120.0, 10.0
HOST = "loggningslista.intranat.sjovalla.example"
WORDS = ("lekplats", "bygglov", "avgift", "parkering", "KS 2024/00777")
WANTED_MS = 500


@contextmanager
def directory(folder: Path) -> Iterator[Path]:
    """Run a slapd that knows the names of the units; yield the settings' part for it."""
    from compliance import settings
    from compliance.directory.ldap import connect

    slapd = LocalDirectory(folder)
    slapd.start()
    path = slapd.settings(folder)
    with connect(settings.load(path).require_directory(), "writer") as connection:
        for unit in town_log.UNITS:
            connection.add(
                f"ou={unit},ou=units,{BASE}",
                ["organizationalUnit", "kommunpostMailbox"],
                {
                    "description": unit.title(), "kommunpostHolder": f"unit:{unit}",
                    "kommunpostUnitKind": "administration", "kommunpostStatus": "active",
                },
            )  # fmt: skip
    try:
        yield path
    finally:
        slapd.stop()


@contextmanager
def web(folder: Path, database: str, directory_settings: Path) -> Iterator[str]:
    """Make the log list's tables, let gunicorn serve them; yield the path of its socket."""
    (folder / "secret").write_text("hemligt" * 8, encoding="utf-8")
    doors = {
        name: f'{{dsn: "host={database} dbname=kommunpost user=kommunpost_{name}"}}'
        for name in ("owner", "web", "login")
    }
    written = folder / "kommunpost.yml"
    written.write_text(
        directory_settings.read_text(encoding="utf-8") + f"\nlog: {doors['owner']}\nloglist:\n"
        f"  hosts: [{HOST}]\n  secret_key_file: {folder}/secret\n"
        f"  web: {doors['web']}\n  login: {doors['login']}\n",
        encoding="utf-8",
    )
    os.environ |= {
        "KOMMUNPOST_CONFIG": str(written),
        "DJANGO_SETTINGS_MODULE": "compliance.loglist.django_settings",
    }
    programs = Path(sys.executable).parent
    migrate = [programs / "kommunpost", "loglist", "migrate"]
    subprocess.run(migrate, check=True, stdout=subprocess.DEVNULL)
    socket = f"{folder}/web"
    served = subprocess.Popen(
        [programs / "gunicorn", "--bind", f"unix:{socket}", "--workers", "4", "--worker-class",
         "gthread", "--threads", "4", "--log-level", "warning", "--preload",
         "compliance.loglist.wsgi"]
    )  # fmt: skip
    try:
        for _ in range(300):
            if Path(socket).exists():
                break
            time.sleep(0.1)  # it says nothing when it listens
        yield socket
    finally:
        served.terminate()
        served.wait()


def cookies() -> list[tuple[str, str]]:
    """Let the reviewers in; return a unit and a cookie for each."""
    import django

    django.setup()
    from django.contrib.sessions.backends.signed_cookies import SessionStore

    from compliance.directory.log_readers import LogReader
    from compliance.loglist.login import let_in

    found = []
    for number in range(READERS):
        unit = town_log.UNITS[number % len(town_log.UNITS)]
        person = LogReader("", f"person:{number}", "Åsa Ek", {unit: unit}, frozenset([unit]), False)
        store = SessionStore()
        store["token"] = let_in(person, f"{number}@sjovalla.example")
        store.save()
        found.append((unit, f"__Host-loglist={store.session_key}"))
    return found


@dataclass
class Measured:
    """What came back. took: milliseconds by kind of page."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)


async def reviewer(socket: str, unit: str, cookie: str, measured: Measured, seed: int) -> None:
    """Click for as long as the run takes."""
    chance = random.Random(seed)
    start = time.perf_counter()
    until = start + START + SECONDS
    await asyncio.sleep(chance.random() * PAUSE)
    text = ""
    while time.perf_counter() < until:
        began = time.perf_counter()
        kind, path = _next_click(chance, unit, text)
        status, text = await _get(socket, path, cookie)
        kind = kind if began - start >= START else "start"
        measured.took[kind].append((time.perf_counter() - began) * 1000)
        if status != 200:
            measured.wrong.append(f"{status} {path}")
        await asyncio.sleep(max(0.0, PAUSE - (time.perf_counter() - began)))


def _next_click(chance: random.Random, unit: str, text: str) -> tuple[str, str]:
    """Go on from the page that is on the screen, as a person does, or begin anew."""
    older = re.search(r'rel="next" href="([^"]+)"', text)
    entries = re.findall(rf'href="(/units/{unit}/[0-9a-f-]+/\d+)"', text)
    kind = chance.choice(("newest", "older", "older", "entry", "entry", "search", "address"))
    if kind == "older" and older:
        return kind, f"/units/{unit}/{older[1]}".replace("&amp;", "&")
    if kind == "entry" and entries:
        return kind, chance.choice(entries)
    if kind == "search":
        return kind, f"/units/{unit}/?q={quote(chance.choice(WORDS))}&since=2025-11-24"
    if kind == "address":
        return kind, f"/units/{unit}/?address=anna.14@omvarlden14.example"
    return "newest", f"/units/{unit}/"


async def _get(socket: str, path: str, cookie: str) -> tuple[int, str]:
    source, sink = await asyncio.open_unix_connection(socket, limit=2**20)
    lines = (f"GET {path} HTTP/1.1", f"Host: {HOST}", "X-Forwarded-Proto: https",
             f"Cookie: {cookie}", "Connection: close", "", "")  # fmt: skip
    sink.write("\r\n".join(lines).encode())
    answer = (await source.read(-1)).decode("utf-8", "replace")
    sink.close()
    return int(answer[9:12] or 0), answer


async def _click(socket: str, readers: list[tuple[str, str]]) -> Measured:
    measured = Measured()
    async with asyncio.TaskGroup() as group:
        for seed, (unit, cookie) in enumerate(readers):
            group.create_task(reviewer(socket, unit, cookie, measured, seed))
    return measured


def main() -> None:
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    options = ("shared_buffers=2GB", "random_page_cost=1.1", "max_wal_size=4GB", "jit=off")
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as name,
        town_log.cluster(*options) as database,
    ):
        folder = Path(name)
        town_log.make_database(database, int(millions * 1_000_000))
        (folder / "ldap").mkdir()
        with directory(folder / "ldap") as settings, web(folder, database, settings) as socket:
            measured = asyncio.run(_click(socket, cookies()))
    kinds = {kind: took for kind, took in measured.took.items() if kind != "start"}
    every = [milliseconds for took in kinds.values() for milliseconds in took]
    print(f"{READERS} reviewers, a click every {PAUSE:g} s, {millions:g} million entries")
    for kind, took in [("start", measured.took["start"]), *sorted(kinds.items()), ("all", every)]:
        median, at_95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
        print(f"  {kind:<8}{len(took):6} clicks   median {median:5.0f} ms   95 % {at_95:5.0f} ms")
    print(f"wanted: 95 % under {WANTED_MS} ms, and no error; errors: {len(measured.wrong)}")
    print("\n".join(measured.wrong[:10]))


if __name__ == "__main__":
    main()
