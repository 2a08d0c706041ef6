"""What is not reviewed is not disposed of: the holds that the review puts on the log."""

from typing import ClassVar

from django.db import migrations

# One hold a unit, on all its mail from the oldest open row on: millions of rows need no more than
# that, and disposal takes the oldest first anyhow. The database does it, so no page can forget.
HOLD = """
-- The oldest row of a unit, from a moment on, that is left to decide or stands in no protocol.
CREATE FUNCTION loglist.oldest_open(unit text, earliest timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT least(
        (SELECT i.accepted_at FROM loglist.loglist_reviewitem AS i
         WHERE i.unit = oldest_open.unit AND i.accepted_at >= earliest
           AND i.outcome IN ('', 'doubt')
         ORDER BY i.accepted_at, i.id LIMIT 1),
        (SELECT i.accepted_at FROM loglist.loglist_reviewitem AS i
         WHERE i.unit = oldest_open.unit AND i.accepted_at >= earliest
           AND NOT EXISTS (SELECT FROM loglist.loglist_protocolrow AS p WHERE p.item_id = i.id)
         ORDER BY i.accepted_at, i.id LIMIT 1))
$$;

-- Move a unit's hold to its oldest open row. changed: the oldest of the rows that were changed.
-- What is older than both the hold and that is closed, so nothing before them is looked at.
CREATE FUNCTION loglist.hold_for_review(unit text, changed timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    standing log.hold;
    oldest timestamptz;
BEGIN
    -- One at a time: the worker adds rows while a period is closed.
    PERFORM pg_advisory_xact_lock(hashtext('loglist.hold_for_review'), hashtext(unit));
    SELECT h.* INTO standing FROM log.hold AS h
        WHERE h.kind = 'review' AND h.unit = hold_for_review.unit AND h.until IS NULL;
    oldest := loglist.oldest_open(unit, least(standing.accepted_from, changed));
    IF standing.number IS NULL AND oldest IS NOT NULL THEN
        INSERT INTO log.hold (kind, who, why, unit, accepted_from)
            VALUES ('review', 'log list', 'not reviewed, or of a period that is not closed',
                    hold_for_review.unit, oldest);
    ELSIF oldest IS NULL THEN
        UPDATE log.hold SET until = now() WHERE number = standing.number;
    ELSIF oldest <> standing.accepted_from THEN
        UPDATE log.hold SET accepted_from = oldest WHERE number = standing.number;
    END IF;
END
$$;

CREATE FUNCTION loglist.hold_for_new_items() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM loglist.hold_for_review(c.unit, c.oldest) FROM (
        SELECT n.unit, min(n.accepted_at) AS oldest FROM new_rows AS n GROUP BY n.unit ORDER BY 1
    ) AS c;
    RETURN NULL;
END
$$;
CREATE TRIGGER held AFTER INSERT ON loglist.loglist_reviewitem
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION loglist.hold_for_new_items();

CREATE FUNCTION loglist.hold_for_protocol() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM loglist.hold_for_review(c.unit, c.oldest) FROM (
        SELECT i.unit, min(i.accepted_at) AS oldest
        FROM new_rows AS n JOIN loglist.loglist_reviewitem AS i ON i.id = n.item_id
        GROUP BY i.unit ORDER BY 1
    ) AS c;
    RETURN NULL;
END
$$;
CREATE TRIGGER held AFTER INSERT ON loglist.loglist_protocolrow
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION loglist.hold_for_protocol();

-- A row of a closed period may come into doubt again.
CREATE FUNCTION loglist.hold_for_outcome() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM loglist.loglist_protocolrow AS p WHERE p.item_id = NEW.id) THEN
        PERFORM loglist.hold_for_review(NEW.unit, NEW.accepted_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER held_again AFTER UPDATE OF outcome ON loglist.loglist_reviewitem FOR EACH ROW
    WHEN ((OLD.outcome IN ('', 'doubt')) <> (NEW.outcome IN ('', 'doubt')))
    EXECUTE FUNCTION loglist.hold_for_outcome();

-- What the worker has not taken in is held too, of all units: from the moment on when the last
-- whole round of it began, and before the first has ended, everything. It says so when it begins
-- ('-infinity') and when it has ended. Where no log list is used, none of this stands.
CREATE FUNCTION loglist.taken_in(begun timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT loglist.writes_all() THEN
        RAISE EXCEPTION 'only the worker takes in what is to be reviewed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE log.hold SET accepted_from = greatest(accepted_from, begun)
        WHERE kind = 'review' AND who = 'log list' AND unit IS NULL AND until IS NULL;
    IF NOT FOUND THEN
        INSERT INTO log.hold (kind, who, why, accepted_from)
            VALUES ('review', 'log list', 'not yet taken in for review', begun);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION loglist.oldest_open(text, timestamptz),
    loglist.hold_for_review(text, timestamptz), loglist.taken_in(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.taken_in(timestamptz) TO kommunpost_web;

SELECT loglist.hold_for_review(i.unit, min(i.accepted_at))
    FROM loglist.loglist_reviewitem AS i GROUP BY i.unit;
"""


class Migration(migrations.Migration):
    """Makes what puts the holds, and holds what is open already."""

    dependencies: ClassVar = [("loglist", "0009_diary")]
    operations: ClassVar = [migrations.RunSQL(HOLD, migrations.RunSQL.noop)]
