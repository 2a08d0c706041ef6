"""What logging costs a message: python -m benchmarks.message_log build/LAB [--rounds N] [--case C]

Runs on the mail host of a lab, against a Postfix of its own there (`on_host.py`). Each case prints
a table, medians over the rounds of each round's ratio:

    ratio_to_idle   time against a milter that does nothing (pymilter)
    ratio_to_bare   time against a Postfix with no milter

and the same until the last message has left the queue, which is what an hour of such mail takes,
and for processor time. A queue that grows is no rate: Postfix's own brake on what it can't pass on
(in_flow_delay) is off, so what a variant costs shows only when the queue is empty. In the case "as
installed" the brake is on, as it is wherever nobody turned it off: then a message is accepted no
faster than its like are passed on.

`receiving` is a pymilter that is sent all that the log needs and does nothing with it; `floor` is
the same in C (`floor.c`), and `floor_unsent` is sent nothing at all: what any milter costs.
`header_checks` (INFO) and `always_bcc` are what people use today: the first writes undecoded lines
that nothing makes durable, the second a copy of the whole message, which is there only some time
after the message was accepted. `logged_ratio_to_always_bcc` holds the times against each other
until each message was both accepted and logged.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REMOTE = "/root/kommunpost-benchmark.py"
FLOOR = "/usr/local/bin/kommunpost-floor"  # and its source, as .c
# Those of which ratios are printed too, and what stands before their names.
RATIOS_OF = {"20 sessions": "", "as installed": "as_installed_"}


def case(
    name: str,
    messages: int,
    *,
    sessions: int = 20,
    recipients: int = 1,
    kb: int = 4,
    mailbox: str = "postmaster",
    in_flow_delay: str = "0s",
) -> dict:
    """Describe a case.

    mailbox: whose; mail of function mailboxes goes to the archive too. in_flow_delay: Postfix's
    brake, 0s for none.
    """
    return {
        "mailbox": mailbox,
        "name": name,
        "messages": messages,
        "sessions": sessions,
        "recipients": recipients,
        "bytes": kb * 1000,
        "in_flow_delay": in_flow_delay,
    }


CASES = [
    case("20 sessions", 1500),
    case("as installed", 1500, in_flow_delay="1s"),
    case("1 session", 300, sessions=1),
    case("50 sessions", 1500, sessions=50),
    case("5 recipients", 600, recipients=5),
    case("100 recipients", 60, recipients=100),
    case("5 MB", 40, sessions=5, kb=5000),
    # A function mailbox: the milter adds the archive as a recipient.
    case("archived", 1500, mailbox="registrator"),
]


def ssh(build: Path, *command: str, **more) -> subprocess.Popen:
    return subprocess.Popen(
        ["ssh", "-F", build / "ssh_config", "mail", *command], text=True, **more
    )


def run(build: Path, rounds: int, cases: list[dict]) -> list[dict]:
    """Run on the host; return its rows and tell how far it is."""
    for name, remote in (("on_host.py", REMOTE), ("floor.c", f"{FLOOR}.c")):
        with (HERE / name).open() as content:
            if ssh(build, "cat", ">", remote, stdin=content).wait():
                sys.exit("the lab's mail host can't be reached: is the lab up?")
    # What the log's own milter does without.
    needed = ("python3-milter", "gcc", "libc6-dev")
    if ssh(build, "apt-get", "install", "--yes", "-qq", *needed, stdout=sys.stderr).wait():
        sys.exit("the milters compared with can't be installed on the lab's mail host")
    if ssh(build, "gcc", "-O2", "-o", FLOOR, f"{FLOOR}.c").wait():
        sys.exit("the least of milters can't be built on the lab's mail host")
    job = json.dumps({"rounds": rounds, "cases": cases})
    host = ssh(build, "python3", REMOTE, f"'{job}'", stdout=subprocess.PIPE)
    rows = []
    for line in host.stdout:
        rows.append(json.loads(line))
        row = rows[-1]
        text = f"{row['case']}, round {row['round'] + 1} of {rounds}: {row['variant']}"
        print(f"{text:<60}{row['seconds']:>8.2f} s", file=sys.stderr)
    if host.wait():
        sys.exit("the benchmark failed on the host; what it said stands above")
    return rows


def ratio(rows: list[dict], variant: str, base: str, value: str) -> float:
    """Median over the rounds of variant to base."""
    by_round = {(row["round"], row["variant"]): row[value] for row in rows if value in row}
    numbers = {row["round"] for row in rows}
    return statistics.median(by_round[n, variant] / by_round[n, base] for n in numbers)


def table(rows: list[dict], one: dict) -> None:
    mine = [row for row in rows if row["case"] == one["name"]]
    load = "{messages} messages, {sessions} sessions, {recipients} recipients, {bytes} bytes"
    print(f"\n{one['name']}: {load.format(**one)}")
    measures = {"seconds": "accepted", "passed": "passed on", "cpu": "processor"}
    print(f"{'':<16}{'messages/s':>12}" + "".join(f"{name:>20}" for name in measures.values()))
    print(" " * 28 + f"{'to bare':>12}{'to idle':>8}" * len(measures))
    for variant in dict.fromkeys(row["variant"] for row in mine):
        seconds = statistics.median(row["seconds"] for row in mine if row["variant"] == variant)
        line = f"{variant:<16}{one['messages'] / seconds:>12.0f}"
        for value in measures:
            bare, idle = (ratio(mine, variant, base, value) for base in ("bare", "idle"))
            line += f"{bare:>12.2f}{idle:>8.2f}"
        print(line)


def ratios(rows: list[dict], name_of_case: str) -> None:
    rows = [row for row in rows if row["case"] == name_of_case]
    prefix = RATIOS_OF[name_of_case]
    print()
    for base in ("idle", "bare", "always_bcc"):
        for name, value in (("", "seconds"), ("passed_on_", "passed"), ("cpu_", "cpu")):
            found = ratio(rows, "kommunpost", base, value)
            print(f"{prefix}{name}ratio_to_{base}={found:.2f}")
    logged = ratio(rows, "kommunpost", "always_bcc", "logged")
    print(f"{prefix}logged_ratio_to_always_bcc={logged:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.message_log", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("build", type=Path, help="the lab's folder, such as build/lab")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--case", action="append", choices=[one["name"] for one in CASES])
    options = parser.parse_args()
    cases = [one for one in CASES if not options.case or one["name"] in options.case]
    rows = run(options.build, options.rounds, cases)
    for one in cases:
        table(rows, one)
    for one in cases:
        if one["name"] in RATIOS_OF:
            ratios(rows, one["name"])


if __name__ == "__main__":
    main()
