-- Which entries answer which: for the matching of many letters at once, as decision 67 has it for one.

-- Of entries at places of the unit that was asked for, those of the same unit that they answer: the
-- ones whose Message-ID they refer to, the oldest first, at most 100 of each. One row for each
-- two. The three arrays are parallel.
CREATE FUNCTION log.answered_by(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, answered_outbox uuid, answered_sequence bigint,
                 message_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- As in 0012: the plan is kept, and must not read all rows.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'answers are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence, a.outbox_id, a.sequence, a.message_id
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL (
        SELECT array_remove(string_to_array(e."references", E'\n'), '') AS ids
    ) AS named
    CROSS JOIN LATERAL (
        SELECT n.outbox_id, n.sequence, n.message_id, n.accepted_at FROM log.entry AS n
        WHERE log.ids_of(n.message_id, n."references") COLLATE "C" && named.ids
          AND n.message_id = ANY (named.ids)
          AND (n.outbox_id, n.sequence) <> (e.outbox_id, e.sequence)
          AND (asked.unit IS NULL OR n.recipient_unit = asked.unit OR n.sender_unit = asked.unit)
        LIMIT 100
    ) AS a
    WHERE e."references" <> ''
      AND (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit)
    ORDER BY e.outbox_id, e.sequence, a.accepted_at, a.outbox_id, a.sequence;
END
$$;

REVOKE ALL ON FUNCTION log.answered_by(text, bigint, timestamptz[], uuid[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.answered_by(text, bigint, timestamptz[], uuid[], bigint[])
    TO kommunpost_web, kommunpost_reader;
