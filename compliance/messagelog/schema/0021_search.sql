-- One index for all that is searched for: unit, address, parts of words. Why so:
-- docs/decisions/0078-one-index-to-search.md

-- The units that an entry belongs to, for the index and for who searches in it.
CREATE FUNCTION log.units_of(recipient_unit text, sender_unit text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.array_remove(ARRAY[recipient_unit, sender_unit], NULL)
$$;

-- The addresses that an entry is found by, in lower case: of several in From, each.
CREATE FUNCTION log.addresses_of(recipient text, envelope_sender text, from_address text)
RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY[pg_catalog.lower(recipient), pg_catalog.lower(envelope_sender)]
        || pg_catalog.string_to_array(pg_catalog.lower(from_address), ', ')
$$;

DROP INDEX log.entry_text, log.entry_recipient, log.entry_envelope_sender, log.entry_from;
CREATE INDEX entry_search ON log.entry USING gin (
    (log.units_of(recipient_unit, sender_unit)) COLLATE "C",
    (log.addresses_of(recipient, envelope_sender, from_address)) COLLATE "C",
    subject public.gin_trgm_ops);

-- The one row of an outbox and sequence, if it is of the unit asked for.
DROP FUNCTION log.rows_at_once(log.filter, integer, timestamptz, uuid, bigint);
CREATE FUNCTION log.row_at(wanted log.filter) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT listed.* FROM log.entry AS e CROSS JOIN LATERAL log.listed_of(e) AS listed
    WHERE e.outbox_id = wanted.outbox AND e.sequence = wanted.sequence
      AND (wanted.unit IS NULL OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit);
END
$$;

-- A page of the rows of an address in a span of time. The plan is kept, since planning for all
-- months costs more than reading; it doesn't know how few rows an address has, and must not read
-- them all.
CREATE FUNCTION log.rows_of_address(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    units text[] := array_remove(ARRAY[wanted.unit], NULL);
    address text[] := ARRAY[lower(wanted.address)];
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
              @> address
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

-- As in 0006, but that a search in text asks for the unit once and not for each side.
CREATE OR REPLACE FUNCTION log.statement_for(wanted log.filter) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        -- Materialized, so that the planner can't take a search in text for a walk along time.
        'WITH e AS MATERIALIZED (%s) SELECT DISTINCT ON (e.accepted_at, e.outbox_id, e.sequence)
         e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
         e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
         e.recipient_unit, e.label, e.host, e.authenticated_user,
         e.attachments, e.attachment_names, e.spam_verdict FROM e
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6',
        string_agg(format(
            '(SELECT e.* FROM log.entry AS e WHERE %s%s AND e.accepted_at >= $1
              AND e.accepted_at < $2 AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)%s)',
            side, log.conditions_of(wanted), CASE WHEN NOT is_text THEN
                ' ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6'
            END), ' UNION ALL '))
    -- No index knows one sign or two: such a text is looked for along time.
    FROM (SELECT wanted.words IS NOT NULL OR coalesce(length(wanted.part), 0) > 2) AS t (is_text),
        unnest(CASE WHEN wanted.unit IS NULL THEN ARRAY['true'] WHEN is_text THEN ARRAY[
            format('log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> ARRAY[%L]',
                   wanted.unit)
        ] ELSE ARRAY[
            format('e.recipient_unit = %L', wanted.unit), format('e.sender_unit = %L', wanted.unit)
        ] END) AS side
$$;

-- As in 0006. A walk back in time: month by month, so that a page costs the same however long the
-- log is; for an address, which most months have nothing of, in longer and longer strides.
CREATE OR REPLACE FUNCTION log.rows(
    token text, reading bigint, page integer, after_at timestamptz DEFAULT 'infinity',
    after_outbox uuid DEFAULT '00000000-0000-0000-0000-000000000000', after_sequence bigint DEFAULT 0
) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    statement text;
    span record;
    high timestamptz;
    low timestamptz;
    months integer := 1;
    got bigint;
    total bigint := 0;
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR page NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'rows are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY SELECT * FROM log.row_at(wanted);
        GET DIAGNOSTICS total = ROW_COUNT;
    ELSE
        IF wanted.address IS NULL THEN
            statement := log.statement_for(wanted);
        END IF;
        span := log.span_of(wanted);
        high := least(span.high, after_at + interval '1 microsecond');
        WHILE high > span.low AND total < page LOOP
            low := greatest(span.low, date_trunc('month', high - interval '1 microsecond')
                                      - make_interval(months => months - 1));
            IF wanted.address IS NOT NULL THEN
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
    END IF;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.units_of(text, text), log.addresses_of(text, text, text),
    log.row_at(log.filter), log.statement_for(log.filter),
    log.rows_of_address(log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint)
    FROM PUBLIC;
