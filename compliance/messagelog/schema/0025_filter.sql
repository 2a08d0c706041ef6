-- Two more things that a list is asked for by (docs/decisions/0080-status-and-mailbox.md).
-- mailbox: one of the unit's own addresses, beside `address`: mail between the two has both.
-- standing: how rows stand in the review. The log doesn't know the review: it notes what was asked
-- for, and the log list holds the rows against it (`loglist.rows`, made by its own migrations).
ALTER TYPE log.filter ADD ATTRIBUTE standing text, ADD ATTRIBUTE mailbox text;

-- The addresses that an entry has to have, each of them.
CREATE FUNCTION log.addresses_wanted(wanted log.filter) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[lower(wanted.address), lower(wanted.mailbox)], NULL)
$$;

-- As in 0021, but for one address or two.
CREATE OR REPLACE FUNCTION log.rows_of_address(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    units text[] := array_remove(ARRAY[wanted.unit], NULL);
    addresses text[] := log.addresses_wanted(wanted);
    pattern text := log.pattern_of(wanted.part);
    way text := wanted.direction;
    probes boolean := coalesce(wanted.probes, false);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
BEGIN
    RETURN QUERY
    WITH e AS MATERIALIZED (
        SELECT e.* FROM log.entry AS e
        WHERE log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> units
          AND log.addresses_of(e.recipient, e.envelope_sender, e.from_address) COLLATE "C"
              @> addresses
          AND e.accepted_at >= low AND e.accepted_at < high
          AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
          AND (way IS NULL OR e.direction = way)
          AND (pattern IS NULL OR e.subject ILIKE pattern)
          AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
          AND (probes OR e.label IS DISTINCT FROM 'probe')
    )
    SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
        e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
        e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments, e.attachment_names,
        e.spam_verdict
    FROM e ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page;
END
$$;

-- What log.rows did, without leave and trace: for those functions alone that see to both. The rows
-- are not held against `standing`.
CREATE FUNCTION log.found(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    is_of_address boolean := log.addresses_wanted(wanted) <> '{}';
    statement text;
    span record;
    high timestamptz;
    low timestamptz;
    months integer := 1;
    got bigint;
    total bigint := 0;
BEGIN
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY SELECT * FROM log.row_at(wanted);
        RETURN;
    END IF;
    IF NOT is_of_address THEN
        statement := log.statement_for(wanted);
    END IF;
    span := log.span_of(wanted);
    high := least(span.high, after_at + interval '1 microsecond');
    WHILE high > span.low AND total < page LOOP
        low := greatest(span.low, date_trunc('month', high - interval '1 microsecond')
                                  - make_interval(months => months - 1));
        IF is_of_address THEN
            RETURN QUERY SELECT * FROM log.rows_of_address(
                wanted, low, high, after_at, after_outbox, after_sequence, page - total);
            months := months * 4;
        ELSE
            RETURN QUERY EXECUTE statement
                USING low, high, after_at, after_outbox, after_sequence, page - total;
        END IF;
        GET DIAGNOSTICS got = ROW_COUNT;
        total := total + got;
        high := low;
    END LOOP;
END
$$;

-- As in 0021.
CREATE OR REPLACE FUNCTION log.rows(
    token text, reading bigint, page integer, after_at timestamptz DEFAULT 'infinity',
    after_outbox uuid DEFAULT '00000000-0000-0000-0000-000000000000', after_sequence bigint DEFAULT 0
) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    total bigint;
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR page NOT BETWEEN 1 AND 10000
       OR wanted.standing IS NOT NULL THEN
        RAISE EXCEPTION 'rows are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT * FROM log.found(wanted, page, after_at, after_outbox, after_sequence);
    GET DIAGNOSTICS total = ROW_COUNT;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.addresses_wanted(log.filter),
    log.found(log.filter, integer, timestamptz, uuid, bigint) FROM PUBLIC;
