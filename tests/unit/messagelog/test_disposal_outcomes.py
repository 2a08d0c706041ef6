"""What the mail hosts told of a message goes with it, and with its month if it was never logged."""

# ruff: noqa: F811 - fixtures of test_disposal.py

import json
from datetime import date

from sealed_log import ONE, entry_of
from test_disposal import count, dispose, old, shown_code  # noqa: F401
from test_seal_store import configured, ship  # noqa: F401

HOST = "mail.sjovalla.example"
HOLD = (
    "INSERT INTO log.hold (kind, who, why, unit, accepted_from, accepted_before) VALUES"
    " ('request', 'p', 'KS 2026/88', %s, %s, %s)"
)


def test_what_was_told_of_mail_without_an_entry_goes_with_its_month(
    old, configured, dispose, connect
):
    follow(connect, "2025-01-10T09:00:00Z", "jan")
    follow(connect, "2024-12-10T09:00:00Z", "dec")  # left by a disposal before this one
    follow(connect, "2025-03-01T00:00:00Z", "mar")
    follow(connect, "2026-11-16T09:00:00Z", "nov")
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(HOLD, ["sbn", "2025-01-10Z", "2025-01-11Z"])
    assert dispose("--plan", shown_code(dispose)).exit_code == 0
    assert left(owner) == {"jan", "mar", "nov"}  # a hold on any unit stops what has none
    owner.execute("UPDATE log.hold SET until = now()")
    # What the next month's disposal does.
    owner.execute("SELECT log.dispose_of_unlogged('2025-04-01Z')")
    assert left(owner) == {"nov"}


def test_what_was_told_of_mail_that_is_logged_stays_with_its_last_entry(
    old, configured, dispose, connect
):
    follow(connect, "2025-01-10T09:00:00Z", "q1")
    configured("sealer", "seal")
    owner = connect("owner")
    owner.execute(HOLD, ["ks", "2025-02-01Z", "2025-03-01Z"])  # February's entries named q1
    dispose("--plan", shown_code(dispose))
    assert left(owner) == {"q1"}
    owner.execute("UPDATE log.hold SET until = now()")
    dispose("--plan", shown_code(dispose))
    assert left(owner) == {"q1"}, "the entries of last week have that queue id too"


def test_probes_take_nothing_along_that_is_not_theirs(ship, configured, dispose, connect, tmp_path):
    ship(ONE, [entry_of(n, ONE, date(2025, 1, 10), label="probe") for n in range(2)])
    follow(connect, "2025-01-10T09:00:00Z", "jan")
    configured("sealer", "seal")
    file = tmp_path / "disposal.yml"
    file.write_text(file.read_text().replace("message-log", "probe"), encoding="utf-8")
    assert "2 entries disposed" in dispose("--plan", shown_code(dispose)).output
    assert left(connect("owner")) == {"jan"}


def follow(connect, at, name):
    """Let the follower store one message, from its queue to a mailbox."""
    events = {
        "accepted": [{"queue_id": name, "at": at, "recipients": 1}],
        "deliveries": [{"queue_id": name, "at": at, "recipient": f"{name}@sjovalla.example",
                        "status": "sent", "session": name}],
        "stored": [{"session": name, "at": at, "recipient": f"{name}@sjovalla.example",
                    "message_id": f"<{name}@sjovalla.example>"}],
    } | {key: [] for key in ("requeued", "withdrawn", "removed", "boots", "refused")}  # fmt: skip
    writer = connect("writer")
    host = "mail.sjovalla.example"
    found = writer.execute("SELECT cursor FROM log.journal_position(%s)", [host]).fetchone()
    writer.execute(
        "SELECT log.follow(%s, %s, %s, %s, '2026-11-25', '{}', %s)",
        [host, found and found[0], name, None if found else "2024-12-01", json.dumps(events)],
    )


def left(owner):
    """Name the messages that anything is left of, which all three tables must agree on."""
    names = [
        {name for (name,) in owner.execute(f"SELECT {key} FROM log.{table}")}
        for table, key in (
            ("delivery", "queue_id"),
            ("accepted", "queue_id"),
            ("stored", "session"),
        )
    ]
    assert names[0] == names[1] == names[2]
    return names[0]
