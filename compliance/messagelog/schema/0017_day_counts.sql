-- Counts a year at a glance: one row a unit, day and outbox, where 0006 had one for each direction
-- and label too. Why so: docs/decisions/0067-references.md

CREATE TABLE log.unit_day (
    unit      text    NOT NULL,
    day       date    NOT NULL,
    -- Each outbox has rows of its own, so that two mail hosts never wait for one another.
    outbox_id uuid    NOT NULL,
    incoming  integer NOT NULL,
    outgoing  integer NOT NULL,
    internal  integer NOT NULL,
    probes    integer NOT NULL,
    PRIMARY KEY (unit, day, outbox_id)
) WITH (fillfactor = 50);
CREATE INDEX unit_day_day ON log.unit_day (day);
COMMENT ON TABLE log.unit_day IS
    'Entries of each unit a day, as people in Sweden count days; one of no unit counts for ''''.';
COMMENT ON COLUMN log.unit_day.probes IS 'The audit''s own mail; it counts in no other column.';

INSERT INTO log.unit_day
SELECT c.unit, c.day, c.outbox_id,
    coalesce(sum(c.entries) FILTER (WHERE c.label <> 'probe' AND c.direction = 'in'), 0),
    coalesce(sum(c.entries) FILTER (WHERE c.label <> 'probe' AND c.direction = 'out'), 0),
    coalesce(sum(c.entries) FILTER (WHERE c.label <> 'probe' AND c.direction = 'internal'), 0),
    coalesce(sum(c.entries) FILTER (WHERE c.label = 'probe'), 0)
FROM log.day_count AS c GROUP BY c.unit, c.day, c.outbox_id;
DROP TABLE log.day_count;

-- As in 0006: add what a statement put into the log, take off what a lawful disposal removed.
CREATE OR REPLACE FUNCTION log.count_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    INSERT INTO log.unit_day AS c
    SELECT u.unit, g.day, g.outbox_id,
        coalesce(sign * sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'in'), 0),
        coalesce(sign * sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'out'), 0),
        coalesce(
            sign * sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'internal'), 0),
        coalesce(sign * sum(g.entries) FILTER (WHERE g.is_probe), 0)
    FROM (
        SELECT (e.accepted_at AT TIME ZONE 'Europe/Stockholm')::date AS day, e.direction,
               e.label IS NOT DISTINCT FROM 'probe' AS is_probe, e.outbox_id, e.recipient_unit,
               e.sender_unit, count(*) AS entries
        FROM changed AS e GROUP BY 1, 2, 3, 4, 5, 6
    ) AS g CROSS JOIN LATERAL (
        SELECT g.recipient_unit WHERE g.recipient_unit IS NOT NULL
        UNION SELECT g.sender_unit WHERE g.sender_unit IS NOT NULL
        UNION SELECT '' WHERE coalesce(g.recipient_unit, g.sender_unit) IS NULL
    ) AS u (unit)
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3  -- the same for all, so that no two wait for each other
    ON CONFLICT (unit, day, outbox_id) DO UPDATE
        SET incoming = c.incoming + excluded.incoming, outgoing = c.outgoing + excluded.outgoing,
            internal = c.internal + excluded.internal, probes = c.probes + excluded.probes;
    RETURN NULL;
END
$$;

-- A unit without any entry has no span. What `least` and `greatest` made of that, which pass over
-- NULL, was one without an end, and a question "from a day on" then never ended.
CREATE OR REPLACE FUNCTION log.span_of(
    wanted log.filter, OUT low timestamptz, OUT high timestamptz
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first date;
    last date;
BEGIN
    IF wanted.unit IS NULL THEN
        SELECT min(c.day), max(c.day) INTO first, last FROM log.unit_day AS c;
    ELSE
        SELECT min(c.day), max(c.day) INTO first, last
        FROM log.unit_day AS c WHERE c.unit = wanted.unit;
    END IF;
    IF first IS NULL THEN
        RETURN;
    END IF;
    low := greatest(first::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.since);
    high := least((last + 1)::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.until);
END
$$;

-- How many entries a day: of the unit asked for, else of all that the reader may see.
DROP FUNCTION log.counts(text, bigint);
CREATE FUNCTION log.counts(token text, reading bigint)
RETURNS TABLE (unit text, day date, incoming bigint, outgoing bigint, internal bigint,
               probes bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    units text[] := CASE WHEN wanted.unit IS NOT NULL THEN ARRAY[wanted.unit]
                         WHEN NOT who.everything THEN who.units END;
    total bigint;
BEGIN
    IF asked.action <> 'count' THEN
        RAISE EXCEPTION 'counts are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT c.unit, c.day, sum(c.incoming), sum(c.outgoing), sum(c.internal), sum(c.probes)
    FROM log.unit_day AS c
    WHERE (units IS NULL OR c.unit = ANY (units))
      AND c.day >= coalesce((wanted.since AT TIME ZONE 'Europe/Stockholm')::date, '-infinity')
      AND c.day < coalesce((wanted.until AT TIME ZONE 'Europe/Stockholm')::date, 'infinity')
    GROUP BY c.unit, c.day
    HAVING sum(c.incoming + c.outgoing + c.internal + c.probes) > 0
    ORDER BY c.unit, c.day;
    GET DIAGNOSTICS total = ROW_COUNT;
    INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
END
$$;
REVOKE ALL ON FUNCTION log.counts(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.counts(text, bigint) TO kommunpost_web, kommunpost_reader;

-- What an index needn't hold costs each append: most mail is from its envelope's sender, and is found
-- by that; most has one unit of the two.
DROP INDEX log.entry_from;
CREATE INDEX entry_from ON log.entry (lower(from_address), accepted_at)
    WHERE lower(from_address) <> lower(envelope_sender);
DROP INDEX log.entry_recipient_unit;
CREATE INDEX entry_recipient_unit ON log.entry (recipient_unit, accepted_at)
    WHERE recipient_unit IS NOT NULL;
DROP INDEX log.entry_sender_unit;
CREATE INDEX entry_sender_unit ON log.entry (sender_unit, accepted_at)
    WHERE sender_unit IS NOT NULL;

-- As in 0009, but that From is looked for only where it differs from the envelope's sender.
CREATE OR REPLACE FUNCTION log.rows_at_once(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    address text := lower(wanted.address);
    low timestamptz := coalesce(wanted.since, '-infinity');
    high timestamptz := coalesce(wanted.until, 'infinity');
    pattern text := log.pattern_of(wanted.part);
    unit text := wanted.unit;
    way text := wanted.direction;
    probes boolean := coalesce(wanted.probes, false);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
BEGIN
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY
        SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
            e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
            e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
            e.attachment_names, e.spam_verdict
        FROM log.entry AS e
        WHERE e.outbox_id = wanted.outbox AND e.sequence = wanted.sequence
          AND (wanted.unit IS NULL
               OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT DISTINCT ON (e.accepted_at, e.outbox_id, e.sequence)
        e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
        e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
        e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments, e.attachment_names,
        e.spam_verdict
    FROM (
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.recipient) = address AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
        UNION ALL
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.envelope_sender) = address AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
        UNION ALL
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.from_address) = address
           AND lower(e.from_address) <> lower(e.envelope_sender)
           AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
    ) AS e
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page;
END
$$;
