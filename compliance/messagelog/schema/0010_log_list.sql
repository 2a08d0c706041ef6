-- What the log list needs beside 0006: entries by place, what became of them, and what is new.

-- What a reader is shown of an entry.
CREATE FUNCTION log.listed_of(e log.entry) RETURNS log.listed
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
        e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
        e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments, e.attachment_names,
        e.spam_verdict
$$;

-- Entries at given places, of the unit that was asked for: who keeps places (a reviewer's list of
-- what is left) reads them here. The three arrays are parallel.
CREATE FUNCTION log.rows_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    total bigint;
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'rows are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT listed.*
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL log.listed_of(e) AS listed
    WHERE asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC;
    GET DIAGNOSTICS total = ROW_COUNT;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

-- What became of entries that were read, one row for each place that the message went to: several
-- where the recipient is a list, none before the first attempt.
CREATE FUNCTION log.outcomes_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, recipient text, at timestamptz, status text,
                 dsn text, relay text, reply text, tls text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'outcomes are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence, o.recipient, o.at, o.status, o.dsn, o.relay, o.reply, o.tls
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.recipient, d.orig_to) d.*
        FROM log.delivery AS d
        WHERE d.host = e.host AND d.queue_id = e.queue_id
          AND lower(coalesce(d.orig_to, d.recipient)) = lower(e.recipient)
        ORDER BY d.recipient, d.orig_to, d.number DESC
    ) AS o
    WHERE asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC, o.recipient;
END
$$;

-- How far the log has come: the last entry of each outbox. For whoever may read everything.
CREATE FUNCTION log.heads(token text) RETURNS TABLE (outbox_id uuid, sequence bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (log.session_of(token)).everything THEN
        RAISE EXCEPTION 'only who may read everything' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT p.outbox_id, p.sequence FROM log.position AS p ORDER BY p.outbox_id;
END
$$;

-- The entries of an outbox after a sequence, in its order, at most `page`: nothing is passed over,
-- however late it arrives. It was asked for as an export of all units.
CREATE FUNCTION log.news(token text, reading bigint, outbox uuid, after bigint, page integer)
RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    total bigint;
BEGIN
    IF asked.action <> 'export' OR asked.unit IS NOT NULL OR page NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'news are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT listed.*
    FROM log.entry AS e CROSS JOIN LATERAL log.listed_of(e) AS listed
    WHERE e.outbox_id = outbox AND e.sequence > after
    ORDER BY e.sequence LIMIT page;
    GET DIAGNOSTICS total = ROW_COUNT;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.listed_of(log.entry),
    log.rows_of(text, bigint, timestamptz[], uuid[], bigint[]),
    log.outcomes_of(text, bigint, timestamptz[], uuid[], bigint[]), log.heads(text),
    log.news(text, bigint, uuid, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.rows_of(text, bigint, timestamptz[], uuid[], bigint[]),
    log.outcomes_of(text, bigint, timestamptz[], uuid[], bigint[]), log.heads(text),
    log.news(text, bigint, uuid, bigint, integer) TO kommunpost_web, kommunpost_reader;
