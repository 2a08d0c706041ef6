-- What proves an extract of the log, for the disclosure desk: it reads as somebody (0006), of one
-- unit. Who may read an entry may prove it too.

-- Entries at given places, whole, with the seed that opens each cell. The arrays are parallel.
CREATE FUNCTION log.sealed_rows(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS SETOF log.entry
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    total bigint;
BEGIN
    IF asked.action <> 'export' OR asked.unit IS NULL OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'proofs are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.*
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    WHERE e.recipient_unit = asked.unit OR e.sender_unit = asked.unit;
    GET DIAGNOSTICS total = ROW_COUNT;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

-- The unit's leaves of some days (UTC), in the order of each day's tree. Nothing but hashes.
CREATE FUNCTION log.leaves_of(token text, reading bigint, of_days date[])
RETURNS TABLE (day date, outbox_id uuid, sequences bigint[], hashes bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action <> 'export' OR asked.unit IS NULL THEN
        RAISE EXCEPTION 'proofs are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT l.day, l.outbox_id, l.sequences, l.hashes FROM log.leaves AS l
    WHERE l.day = ANY (of_days) AND l.unit = asked.unit
    ORDER BY l.day, l.statement, l.outbox_id;
END
$$;

-- The statement that closed each of some days last. They are published.
CREATE FUNCTION log.closings(of_days date[])
RETURNS TABLE (day date, number bigint, text text, signature bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT ON (s.day) s.day, s.number, s.text, s.signature
    FROM log.statement AS s WHERE s.day = ANY (of_days) ORDER BY s.day, s.number DESC
$$;

REVOKE ALL ON FUNCTION log.sealed_rows(text, bigint, timestamptz[], uuid[], bigint[]),
    log.leaves_of(text, bigint, date[]), log.closings(date[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.sealed_rows(text, bigint, timestamptz[], uuid[], bigint[]),
    log.leaves_of(text, bigint, date[]), log.closings(date[]) TO kommunpost_web;
