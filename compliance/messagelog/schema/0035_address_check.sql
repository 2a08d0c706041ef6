-- What the months of addresses (0027) lack is found: a search goes by them, and passes over a month
-- that they don't have.

-- The noted months from a day on and before another (null: all) of whose entries log.address_month
-- lacks keys, and how many. A month is text, since one that was put in may be none.
CREATE FUNCTION log.misaddressed(since date, until date)
RETURNS TABLE (month text, lacking bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET jit = off AS $$  -- which took longer than the query
    SELECT m.month::text, count(*)
    FROM log.addressed_month AS m CROSS JOIN LATERAL (
        SELECT DISTINCT k.key
        FROM log.entry AS e CROSS JOIN log.address_keys(e) AS k (key)
        WHERE e.accepted_at >= m.month::timestamptz
          AND e.accepted_at < m.month::timestamptz + interval '1 month'
    ) AS own
    WHERE (until IS NULL OR m.month < until)
      AND m.month + interval '1 month' > coalesce(since, '-infinity')
      AND NOT EXISTS (
        SELECT FROM log.address_month AS a WHERE a.key = own.key AND a.month = m.month)
    GROUP BY m.month ORDER BY m.month
$$;

REVOKE ALL ON FUNCTION log.misaddressed(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.misaddressed(date, date) TO kommunpost_reader, kommunpost_sealer;
