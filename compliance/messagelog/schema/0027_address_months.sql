-- In which past months an address has mail, so that a page of a rare one looks into those alone.
-- Why so: docs/decisions/0078-one-index-to-search.md

-- A number that stands for an address in the mail of a unit; in that of all, if the unit is ''. Two
-- may share one: then a month is looked into that has nothing.
CREATE FUNCTION log.address_key(unit text, address text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT (pg_catalog.hashtextextended(unit || E'\n' || address, 0) & 2147483647)::integer
$$;

-- The keys of an entry: each of its addresses for each of its units, and for all.
CREATE FUNCTION log.address_keys(entry log.entry) RETURNS SETOF integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT log.address_key(u.unit, a.address)
    FROM unnest(log.units_of(entry.recipient_unit, entry.sender_unit) || ''::text) AS u (unit)
    CROSS JOIN unnest(log.addresses_of(
        entry.recipient, entry.envelope_sender, entry.from_address)) AS a (address)
$$;

CREATE TABLE log.address_month (
    key   integer NOT NULL,
    month date    NOT NULL,
    PRIMARY KEY (key, month)
);
COMMENT ON TABLE log.address_month IS
    'The log.address_keys of each entry of the months that log.addressed_month has.';

CREATE TABLE log.addressed_month (month date PRIMARY KEY);
COMMENT ON TABLE log.addressed_month IS
    'Months (UTC, their first day) of which log.address_month has every key.';

-- Months that are over and that log.addressed_month lacks.
CREATE FUNCTION log.months_to_address() RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT m.month
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT to_date(c.relname, '"entry_"YYYY_MM')) AS m (month)
    WHERE i.inhparent = 'log.entry'::regclass AND c.relname ~ '^entry_\d{4}_\d\d$'
      AND m.month < date_trunc('month', now())
      AND NOT EXISTS (SELECT FROM log.addressed_month AS a WHERE a.month = m.month)
    ORDER BY m.month
$$;

-- Note the addresses of a month. What is appended to that month meanwhile waits, and is then noted
-- by itself.
CREATE FUNCTION log.note_addresses(month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := 'entry_' || to_char(month, 'YYYY_MM');
BEGIN
    EXECUTE format('LOCK TABLE log.%I IN SHARE MODE', name);
    EXECUTE format(
        'INSERT INTO log.address_month
         SELECT DISTINCT k.key, $1 FROM log.%I AS e CROSS JOIN log.address_keys(e) AS k (key)
         ORDER BY 1  -- so each page of the index is written once
         ON CONFLICT DO NOTHING', name) USING month;
    INSERT INTO log.addressed_month VALUES (month) ON CONFLICT DO NOTHING;
END
$$;

-- What comes late, into a month that is noted, is noted too.
CREATE FUNCTION log.note_late_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    noted_until timestamptz := (SELECT max(m.month) + interval '1 month'
                                FROM log.addressed_month AS m);
BEGIN
    IF EXISTS (SELECT FROM changed AS e WHERE e.accepted_at < noted_until) THEN
        INSERT INTO log.address_month
        SELECT DISTINCT k.key, m.month
        FROM changed AS e
        JOIN log.addressed_month AS m ON m.month = date_trunc('month', e.accepted_at)::date
        CROSS JOIN log.address_keys(e) AS k (key)
        ORDER BY 1, 2  -- the same for all, so that no two wait for each other
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_late_addresses AFTER INSERT ON log.entry
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.note_late_addresses();

-- After a lawful disposal nothing of it is left here; what is left of the month is noted anew.
CREATE FUNCTION log.forget_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    months date[] := ARRAY(SELECT DISTINCT date_trunc('month', e.accepted_at)::date
                           FROM changed AS e);
BEGIN
    DELETE FROM log.addressed_month AS m WHERE m.month = ANY (months);
    DELETE FROM log.address_month AS a WHERE a.month = ANY (months);
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_addresses_forgotten AFTER DELETE ON log.entry
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.forget_addresses();

-- The addresses that an entry has to have, each of them once. It names its schema and sets no path:
-- so it is no call but part of the question.
CREATE OR REPLACE FUNCTION log.addresses_wanted(wanted log.filter) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.array_remove(ARRAY[
        pg_catalog.lower(wanted.address),
        nullif(pg_catalog.lower(wanted.mailbox), pg_catalog.lower(wanted.address))], NULL)
$$;

-- Where between two times a unit (null: any) may have entries of all addresses, newest first: runs
-- of months, each up to four times as long as the one before, since most pages are filled by few. To
-- begin another run costs more than to look into two months that have nothing. In PL/pgSQL since that
-- keeps its plan.
CREATE FUNCTION log.spans_of_addresses(
    unit text, addresses text[], low timestamptz, high timestamptz
) RETURNS TABLE (from_time timestamptz, to_time timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    keys integer[] := ARRAY(SELECT DISTINCT log.address_key(coalesce(unit, ''), w.address)
                            FROM unnest(addresses) AS w (address));
BEGIN
    RETURN QUERY
    WITH held AS (
        SELECT a.month FROM log.address_month AS a
        WHERE a.key = ANY (keys)
        GROUP BY a.month HAVING count(*) = cardinality(keys)
    ), candidate AS (
        SELECT m.month, row_number() OVER newest_first AS rank,
            m.month < lag(m.month) OVER newest_first - interval '3 months' AS is_apart
        FROM generate_series(date_trunc('month', low), high - interval '1 microsecond',
                             interval '1 month') AS m (month)
        WHERE m.month::date IN (SELECT h.month FROM held AS h)
           OR m.month::date NOT IN (SELECT n.month FROM log.addressed_month AS n)
        WINDOW newest_first AS (ORDER BY m.month DESC)
    ), run AS (
        SELECT c.month, floor(log(4, 3 * c.rank - 2)) AS stride,
            count(*) FILTER (WHERE c.is_apart) OVER (ORDER BY c.month DESC) AS number
        FROM candidate AS c
    )
    SELECT greatest(low, min(r.month)), least(high, max(r.month) + interval '1 month')
    FROM run AS r GROUP BY r.number, r.stride ORDER BY min(r.month) DESC;
END
$$;

-- A page of the rows of one address or two. As in 0025, but that it knows their months, and gives
-- rows by what the index knows first: what else is asked of them is asked of those alone. It never
-- walks along time, which the planner takes for cheap in small months.
DROP FUNCTION log.rows_of_address(
    log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint);
CREATE FUNCTION log.rows_of_addresses(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexscan = off AS $$
DECLARE
    units text[] := array_remove(ARRAY[wanted.unit], NULL);
    addresses text[] := log.addresses_wanted(wanted);
    pattern text := log.pattern_of(wanted.part);
    way text := wanted.direction;
    probes boolean := coalesce(wanted.probes, false);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
    span record;
    got bigint;
    total bigint := 0;
BEGIN
    FOR span IN SELECT * FROM log.spans_of_addresses(wanted.unit, addresses, low, high) LOOP
        RETURN QUERY
        WITH e AS MATERIALIZED (
            SELECT e.* FROM log.entry AS e
            WHERE log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> units
              AND log.addresses_of(e.recipient, e.envelope_sender, e.from_address) COLLATE "C"
                  @> addresses
              AND e.accepted_at >= span.from_time AND e.accepted_at < span.to_time
        )
        SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
            e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
            e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
            e.attachment_names, e.spam_verdict
        FROM e
        WHERE (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
          AND (way IS NULL OR e.direction = way)
          AND (pattern IS NULL OR e.subject ILIKE pattern)
          AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
          AND (probes OR e.label IS DISTINCT FROM 'probe')
        ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page - total;
        GET DIAGNOSTICS got = ROW_COUNT;
        total := total + got;
        EXIT WHEN total >= page;
    END LOOP;
END
$$;

-- As in 0025, but that the months of an address are known.
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
    statement := log.statement_for(wanted);
    WHILE high > span.low AND total < page LOOP
        low := greatest(span.low, date_trunc('month', high - interval '1 microsecond'));
        RETURN QUERY EXECUTE statement
            USING low, high, after_at, after_outbox, after_sequence, page - total;
        GET DIAGNOSTICS got = ROW_COUNT;
        total := total + got;
        high := low;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION log.address_key(text, text), log.address_keys(log.entry),
    log.months_to_address(), log.note_addresses(date), log.note_late_addresses(),
    log.forget_addresses(), log.spans_of_addresses(text, text[], timestamptz, timestamptz),
    log.rows_of_addresses(
        log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint) FROM PUBLIC;
