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
        SELECT min(c.day), max(c.day) INTO first, last FROM log.day_count AS c;
    ELSE
        SELECT min(c.day), max(c.day) INTO first, last
        FROM log.day_count AS c WHERE c.unit = wanted.unit;
    END IF;
    IF first IS NULL THEN
        RETURN;
    END IF;
    low := greatest(first::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.since);
    high := least((last + 1)::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.until);
END
$$;
