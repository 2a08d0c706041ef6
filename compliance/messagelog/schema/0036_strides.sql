-- A page of an address looks back no further than its rows so far let expect. Why so:
-- docs/decisions/0078-one-index-to-search.md

-- The months between two times of which a unit (null: any) may have entries of all addresses, newest
-- first, and for each the last month that is looked into along with it: more than two months between
-- that have nothing cost more than to begin anew. In PL/pgSQL since that keeps its plan.
DROP FUNCTION log.spans_of_addresses(text, text[], timestamptz, timestamptz);
CREATE FUNCTION log.months_of_addresses(
    unit text, addresses text[], low timestamptz, high timestamptz
) RETURNS TABLE (month timestamptz, last_along timestamptz)
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
        SELECT m.month,
            m.month < lag(m.month) OVER (ORDER BY m.month DESC) - interval '3 months' AS is_apart
        FROM generate_series(date_trunc('month', low), high - interval '1 microsecond',
                             interval '1 month') AS m (month)
        WHERE m.month::date IN (SELECT h.month FROM held AS h)
           OR m.month::date NOT IN (SELECT n.month FROM log.addressed_month AS n)
    ), run AS (
        SELECT c.month,
            count(*) FILTER (WHERE c.is_apart) OVER (ORDER BY c.month DESC) AS number
        FROM candidate AS c
    )
    SELECT r.month, min(r.month) OVER (PARTITION BY r.number) FROM run AS r ORDER BY r.month DESC;
END
$$;

-- As in 0027, but that a run of months is as long as it takes to fill the page, by what was found so
-- far and a quarter more; and at most four times as long as the one before, since an address that
-- was quiet of late may have had thousands.
CREATE OR REPLACE FUNCTION log.rows_of_addresses(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexscan = off AS $$
DECLARE
    units text[] := array_remove(ARRAY[wanted.unit], NULL);
    addresses text[] := log.addresses_wanted(wanted);
    pattern text := log.pattern_of(wanted.part);
    way text := wanted.direction;
    probes boolean := coalesce(wanted.probes, false);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
    place record;
    from_time timestamptz;
    to_time timestamptz;
    months bigint := 0;  -- of the run that is looked into next
    stride bigint := 1;  -- how many it may have
    looked interval := '0';
    got bigint;
    total bigint := 0;
BEGIN
    FOR place IN SELECT * FROM log.months_of_addresses(wanted.unit, addresses, low, high) LOOP
        months := months + 1;
        to_time := coalesce(to_time, least(high, place.month + interval '1 month'));
        CONTINUE WHEN months < stride AND place.month > place.last_along;
        from_time := greatest(low, place.month);
        RETURN QUERY
        WITH e AS MATERIALIZED (
            SELECT e.* FROM log.entry AS e
            WHERE log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> units
              AND log.addresses_of(e.recipient, e.envelope_sender, e.from_address) COLLATE "C"
                  @> addresses
              AND e.accepted_at >= from_time AND e.accepted_at < to_time
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
        looked := looked + (to_time - from_time);
        stride := least(4 * stride, CASE WHEN total > 0 THEN
            ceil(1.25 * (page - total) / total * extract(epoch FROM looked)
                 / extract(epoch FROM interval '1 month')) END);
        months := 0;
        to_time := NULL;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION log.months_of_addresses(text, text[], timestamptz, timestamptz) FROM PUBLIC;
