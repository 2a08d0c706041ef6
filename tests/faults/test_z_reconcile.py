"""The last fault: mail that is not logged is found out. It stays unlogged, and so comes last."""

from datetime import UTC, datetime


def test_a_letter_past_the_milter_is_found_out(world, on_host, ask, kommunpost):
    """The guard itself: without the milter's word, Postfix accepts and the log lacks it."""
    restored = "'non_smtpd_milters = $smtpd_milters'"
    on_host("mail", "postconf -e non_smtpd_milters= && postfix reload 2>/dev/null")
    try:
        sender = world.colleagues(1)[0].address
        on_host("mail", f"echo hej | sendmail -f {sender} {world.commissioner.address}")
        ask(
            "SELECT count(*) > 0 FROM log.accepted AS a WHERE NOT EXISTS ("
            "SELECT FROM log.entry AS e WHERE e.queue_id = a.queue_id)",
            "t",
        )
        # The shipper has to say that nothing is on its way.
        ask(
            "SELECT count(*) > 0 FROM log.differences(now() - interval '1 hour', now())"
            " WHERE kind = 'missing' AND certain",
            "t",
        )
        day = datetime.now(UTC).date().isoformat()
        done = kommunpost("log", "reconcile", "--day", day)
        assert done.returncode == 1
        assert "accepted by Postfix, not in the log" in done.stdout
    finally:
        on_host("mail", f"postconf -e {restored} && postfix reload 2>/dev/null")
