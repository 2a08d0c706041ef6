"""What became of each letter stands in the log, and the log and the mail hosts agree."""

import json
import smtplib
from datetime import UTC, datetime

from mail_load import unexplained

from lablib.letters import letter


def outcome(message_id: str, columns: str, source: str = "log.outcome") -> str:
    return (
        f"SELECT {columns} FROM {source} AS o WHERE EXISTS (SELECT FROM log.entry AS e"
        f" WHERE e.queue_id = o.queue_id AND e.message_id = '{message_id}')"
    )


def test_a_letter_from_outside_is_told_as_delivered(world, ask):
    note = letter(world.outsider, world.commissioner.address, "Följs till brevlådan")
    world.submit(world.outsider, note)
    world.arrival(world.commissioner, note["Message-ID"])
    ask(outcome(note["Message-ID"], "status, dsn, recipient_unit"), "sent|2.0.0|ks")


def test_a_letter_to_the_world_is_told_with_answer_and_tls(world, ask):
    sender = world.colleagues(1)[0]
    note = letter(sender, world.outsider.address, "Följs ut i världen")
    world.submit(sender, note)
    world.arrival(world.outsider, note["Message-ID"])
    wanted = "status, left(reply, 7), tls ~ '^[A-Z][a-z]+ TLSv1'"
    ask(outcome(note["Message-ID"], wanted), "sent|250 2.0|t")


def test_a_letter_that_comes_back_is_told_as_bounced(world, ask):
    sender = world.colleagues(1)[0]
    note = letter(sender, "finnsinte@" + world.outsider.address.partition("@")[2], "Studsar")
    world.submit(sender, note)
    ask(outcome(note["Message-ID"], "status, left(dsn, 1)"), "bounced|5")


def test_a_refused_letter_is_counted_and_nobody_is_named(world, ask):
    counted = "SELECT sum(count) > 0 FROM log.refused WHERE reason LIKE '%User unknown%'"
    with smtplib.SMTP(world.service("mx")["address"], 25, timeout=60) as smtp:
        smtp.ehlo()
        smtp.mail(world.outsider.address)
        assert smtp.rcpt(f"finnsinte@{world.domain}")[0] == 550
    ask(counted, "t")
    ask("SELECT count(*) FROM log.refused WHERE reason LIKE '%@%'", "0")


def test_ordinary_days_work_leaves_no_difference(world, on_host, ask, kommunpost):
    """Held, requeued, deferred and bounced mail, and mail of the host's own programs."""
    sender = world.colleagues(1)[0]
    on_host("mail", "postconf -e defer_transports=smtp && postfix reload 2>/dev/null")
    try:
        notes = [letter(sender, world.outsider.address, f"Väntar {n}") for n in range(3)]
        for note in notes:
            world.submit(sender, note)
        for note in notes:
            ask(outcome(note["Message-ID"], "status"), "deferred")
        on_host("mail", "postsuper -r ALL deferred && postsuper -h ALL && postsuper -H ALL")
    finally:
        on_host("mail", "postconf -X defer_transports && postfix reload 2>/dev/null; postqueue -f")
    on_host("mail", f"echo hej | sendmail -f {sender.address} nosuch@{world.domain}")
    for note in notes:
        world.arrival(world.outsider, note["Message-ID"], seconds=90)
        ask(outcome(note["Message-ID"], "status"), "sent")
    done = kommunpost("log", "reconcile", "--json", "--day", datetime.now(UTC).date().isoformat())
    result = json.loads(done.stdout)
    assert (unexplained(result), result["gaps"]) == ([], [])
    assert result["accepted"] > 0


def test_what_a_technician_removes_from_the_queue_is_told(world, on_host, ask, rows):
    sender = world.colleagues(1)[0]
    note = letter(sender, world.outsider.address, "Tas bort ur kön")
    on_host("mail", "postconf -e defer_transports=smtp && postfix reload 2>/dev/null")
    try:
        world.submit(sender, note)
        ask(outcome(note["Message-ID"], "status"), "deferred")
        (row,) = rows(note["Message-ID"])
        on_host("mail", f"postsuper -d {row['queue_id']}")
    finally:
        on_host("mail", "postconf -X defer_transports && postfix reload 2>/dev/null; postqueue -f")
    ask(f"SELECT count(*) FROM log.removed WHERE queue_id = '{row['queue_id']}'", "1")
    (row,) = rows(note["Message-ID"])
    assert row["outcome"] == "removed"
