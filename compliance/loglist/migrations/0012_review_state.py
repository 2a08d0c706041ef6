"""How far each unit's review has come, for the audit: figures, no rows and no names."""

from typing import ClassVar

from django.db import migrations

STATE = """
-- Each unit that has closed a period or has rows of an open one. begin: the first day (in Sweden)
-- of its oldest open period. rows_left, oldest_left: what nobody has decided, or is in doubt.
CREATE FUNCTION loglist.review_state()
RETURNS TABLE (unit text, begin date, rows_left bigint, oldest_left timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH closed AS (
        SELECT p.unit, max(p.last) AS last FROM loglist.loglist_reviewprotocol AS p GROUP BY p.unit
    ), held AS (
        -- From its oldest open row on (migration 0010): sooner found than among millions of rows.
        SELECT h.unit, h.accepted_from FROM log.hold AS h
        WHERE h.kind = 'review' AND h.unit IS NOT NULL AND h.until IS NULL
    ), remaining AS (
        SELECT i.unit, count(*) AS rows, min(i.accepted_at) AS oldest
        FROM loglist.loglist_reviewitem AS i WHERE i.outcome IN ('', 'doubt') GROUP BY i.unit
    )
    SELECT unit,
        coalesce(c.last + 1, (h.accepted_from AT TIME ZONE 'Europe/Stockholm')::date),
        coalesce(r.rows, 0), r.oldest
    FROM closed AS c FULL JOIN held AS h USING (unit) LEFT JOIN remaining AS r USING (unit)
$$;

-- Up to when the worker has taken in what is to be reviewed; null before its first whole round.
CREATE FUNCTION loglist.taken_in_until() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(h.accepted_from, '-infinity') FROM log.hold AS h
    WHERE h.kind = 'review' AND h.who = 'log list' AND h.unit IS NULL AND h.until IS NULL
$$;

REVOKE ALL ON FUNCTION loglist.review_state(), loglist.taken_in_until() FROM PUBLIC;
GRANT USAGE ON SCHEMA loglist TO kommunpost_reader;
GRANT EXECUTE ON FUNCTION loglist.review_state(), loglist.taken_in_until() TO kommunpost_reader;
"""


class Migration(migrations.Migration):
    """Makes the two functions that the audit asks."""

    dependencies: ClassVar = [("loglist", "0011_doubt")]
    operations: ClassVar = [migrations.RunSQL(STATE, migrations.RunSQL.noop)]
