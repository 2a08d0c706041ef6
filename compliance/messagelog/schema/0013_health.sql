-- What `kommunpost log health` asks, and how the comparison of each day ended.

CREATE TABLE log.reconciled (
    day    date        PRIMARY KEY,
    at     timestamptz NOT NULL,
    status smallint    NOT NULL
);
COMMENT ON COLUMN log.reconciled.status IS
    'As `kommunpost log reconcile` ended last: its exit code.';

-- Note how a day (UTC) that is over was compared; the last time counts.
CREATE FUNCTION log.note_reconciled(of_day date, ended smallint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO log.reconciled (day, at, status) VALUES (of_day, now(), ended)
    ON CONFLICT (day) DO UPDATE SET at = excluded.at, status = excluded.status
$$;

-- How far shippers and followers have come, by the host that entries carry. Null: never heard of.
CREATE FUNCTION log.host_health()
RETURNS TABLE (host text, shipped_until timestamptz, followed_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(p.host, j.host), p.at, j.at
    FROM (SELECT n.host, max(n.drained_at) AS at FROM log.position AS n GROUP BY n.host) AS p
    FULL JOIN (SELECT n.host, max(n.until) AS at FROM log.journal AS n GROUP BY n.host) AS j
        ON j.host = p.host
    ORDER BY 1
$$;

-- The last day that is sealed and the last one compared (null: none yet), and how many months after
-- this one are made.
CREATE FUNCTION log.store_health()
RETURNS TABLE (sealed date, reconciled date, reconcile_status smallint, months_ahead integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT (SELECT max(s.day) FROM log.statement AS s), r.day, r.status,
        (SELECT count(*)::integer FROM generate_series(1, 120) AS n WHERE to_regclass(
            'log.entry_' || to_char(date_trunc('month', now()) + n * interval '1 month', 'YYYY_MM')
        ) IS NOT NULL)
    FROM (SELECT 1) AS always LEFT JOIN LATERAL (
        SELECT n.day, n.status FROM log.reconciled AS n ORDER BY n.day DESC LIMIT 1) AS r ON true
$$;

-- The mail host's role learns how the log is, still not what is in it.
REVOKE ALL ON FUNCTION log.note_reconciled(date, smallint), log.host_health(), log.store_health()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.note_reconciled(date, smallint) TO kommunpost_reader;
GRANT EXECUTE ON FUNCTION log.host_health(), log.store_health()
    TO kommunpost_reader, kommunpost_writer;
