-- A unit's list is asked for again and again, and to plan its question took longer than to answer
-- it: so its plan is kept, as that of addresses is (0021).

-- Whether an index knows what is asked for of the subject. None knows one sign or two: such a text
-- is looked for along time.
CREATE FUNCTION log.is_of_text(wanted log.filter) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT wanted.words IS NOT NULL OR coalesce(length(wanted.part), 0) > 2
$$;

-- The newest of a unit's rows from low until high, by the indexes of either side and time. That
-- sorting and bitmaps are off keeps the plan that reads no more than a page, since one that is made
-- without knowing the times takes them for close to each other.
CREATE FUNCTION log.rows_of_unit(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
DECLARE
    own text := wanted.unit;
    way text := wanted.direction;
    pattern text := log.pattern_of(wanted.part);
    probes boolean := coalesce(wanted.probes, false);
BEGIN
    RETURN QUERY
    SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
        e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
        e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments, e.attachment_names,
        e.spam_verdict
    FROM (
        (SELECT e.* FROM log.entry AS e
         WHERE e.recipient_unit = own
           AND e.accepted_at >= low AND e.accepted_at < high
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
        UNION ALL
        (SELECT e.* FROM log.entry AS e
         WHERE e.sender_unit = own AND e.recipient_unit IS DISTINCT FROM own
           AND e.accepted_at >= low AND e.accepted_at < high
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
    ) AS e
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page;
END
$$;

-- As in 0021, for what is asked for by text or of all units.
CREATE OR REPLACE FUNCTION log.statement_for(wanted log.filter) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        -- Materialized, so that the planner can't take a search in text for a walk along time.
        'WITH e AS MATERIALIZED (
             SELECT e.* FROM log.entry AS e WHERE %s%s
               AND e.accepted_at >= $1 AND e.accepted_at < $2
               AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)%s
         )
         SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
             e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
             e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
             e.attachment_names, e.spam_verdict
         FROM e ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6',
        CASE WHEN wanted.unit IS NULL THEN 'true' ELSE format(
            'log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> ARRAY[%L]', wanted.unit)
        END,
        log.conditions_of(wanted),
        CASE WHEN NOT log.is_of_text(wanted) THEN
            ' ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6'
        END)
$$;

-- As in 0027, but that a unit's rows have a function of their own.
CREATE OR REPLACE FUNCTION log.found(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    statement text;
    span record;
    high timestamptz;
    low timestamptz;
    got bigint;
    total bigint := 0;
BEGIN
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY SELECT * FROM log.row_at(wanted);
        RETURN;
    END IF;
    span := log.span_of(wanted);
    high := least(span.high, after_at + interval '1 microsecond');
    IF log.addresses_wanted(wanted) <> '{}' THEN
        RETURN QUERY SELECT * FROM log.rows_of_addresses(
            wanted, span.low, high, after_at, after_outbox, after_sequence, page);
        RETURN;
    END IF;
    IF wanted.unit IS NULL OR log.is_of_text(wanted) THEN
        statement := log.statement_for(wanted);
    END IF;
    WHILE high > span.low AND total < page LOOP
        low := greatest(span.low, date_trunc('month', high - interval '1 microsecond'));
        IF statement IS NULL THEN
            RETURN QUERY SELECT * FROM log.rows_of_unit(
                wanted, low, high, after_at, after_outbox, after_sequence, page - total);
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

REVOKE ALL ON FUNCTION log.is_of_text(log.filter),
    log.rows_of_unit(log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint)
    FROM PUBLIC;
