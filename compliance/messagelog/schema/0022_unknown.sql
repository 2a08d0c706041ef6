-- Entries of which the log cannot say what became of them. Nothing is stored: what is said here of an
-- entry changes by itself when the follower brings an outcome.

-- Of entries that were read, those whose outcome cannot be expected any more, and why:
--   crash    it was accepted about when its host died, and the host's last lines died with it
--   overdue  it is older than Postfix keeps a message (maximal_queue_lifetime, five days; what is
--            not delivered by then is returned), and no line of it was read
-- An entry that has an outcome, or that Postfix refused or threw away, is none of them.
CREATE FUNCTION log.unknown_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, why text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'outcomes are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence, reason.why
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL (SELECT CASE
        WHEN EXISTS (
            -- journald writes to disk every five minutes; so the outbox may have an entry that came
            -- after the last line that is left.
            SELECT FROM log.boot AS b
            WHERE b.host = e.host
              AND b.ended_at BETWEEN e.accepted_at - interval '6 minutes'
                                 AND e.accepted_at + interval '1 minute'
        ) AND EXISTS (
            -- What was in the queue is tried when Postfix is back, which may take minutes in a rush.
            SELECT FROM log.journal AS j
            WHERE j.host = e.host AND j.until > e.accepted_at + interval '15 minutes'
        ) THEN 'crash'
        WHEN e.accepted_at < now() - interval '5 days' THEN 'overdue'
    END) AS reason (why)
    WHERE reason.why IS NOT NULL
      AND (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit)
      AND NOT EXISTS (
        SELECT FROM log.delivery AS d
        WHERE d.host = e.host AND d.queue_id = e.queue_id
          AND lower(coalesce(d.orig_to, d.recipient)) = lower(e.recipient)
    ) AND NOT EXISTS (
        SELECT FROM log.withdrawn AS w WHERE w.host = e.host AND w.queue_id = e.queue_id
    );
END
$$;

REVOKE ALL ON FUNCTION log.unknown_of(text, bigint, timestamptz[], uuid[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.unknown_of(text, bigint, timestamptz[], uuid[], bigint[])
    TO kommunpost_web, kommunpost_reader;
