"""The list by how its rows stand in the review."""

from typing import ClassVar

from django.db import migrations, models

# Two walks back in time: along the review's items and along the log. Each looks so far and says
# where it stopped, so that a page never waits for a rare row at the other end of millions.
WALK = """
-- What a walk comes to: a row that is wanted; or, without an entry, the place where it stopped.
CREATE TYPE loglist.step AS (at timestamptz, outbox uuid, number bigint, entry log.listed);

-- The outcome that an item has that stands so.
CREATE FUNCTION loglist.outcome_of(standing text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE standing WHEN 'undecided' THEN '' ELSE standing END
$$;

-- Look at the items that stand so, at most `reach`, for those whose entry is wanted too. Items of
-- entries that were disposed of are passed over. The plan is kept, as in the log's 0021.
CREATE FUNCTION loglist.along_items(
    wanted log.filter, page integer, reach integer,
    after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF loglist.step
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_sort = off AS $$
DECLARE
    in_unit text := wanted.unit;
    standing text := loglist.outcome_of(wanted.standing);
    low timestamptz := coalesce(wanted.since, '-infinity');
    high timestamptz := coalesce(wanted.until, 'infinity');
    way text := wanted.direction;
    addresses text[] := log.addresses_wanted(wanted);
    pattern text := log.pattern_of(wanted.part);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
    step loglist.step;
    looked_at integer := 0;
    got integer := 0;
BEGIN
    FOR step IN
        SELECT i.accepted_at, i.outbox, i.sequence, found.entry
        FROM loglist.loglist_reviewitem AS i LEFT JOIN LATERAL (
            SELECT log.listed_of(e) AS entry FROM log.entry AS e
            WHERE e.outbox_id = i.outbox AND e.sequence = i.sequence
              AND e.accepted_at = i.accepted_at
              AND log.addresses_of(e.recipient, e.envelope_sender, e.from_address) @> addresses
              AND (pattern IS NULL OR e.subject ILIKE pattern)
              AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
        ) AS found ON true
        WHERE i.unit = in_unit AND i.outcome = standing
          AND i.accepted_at >= low AND i.accepted_at < high
          AND (i.accepted_at, i.outbox, i.sequence) < (after_at, after_outbox, after_sequence)
          AND (way IS NULL OR i.direction = way)
        ORDER BY i.accepted_at DESC, i.outbox DESC, i.sequence DESC LIMIT reach
    LOOP
        looked_at := looked_at + 1;
        IF (step.entry).outbox_id IS NOT NULL THEN
            RETURN NEXT step;
            got := got + 1;
            EXIT WHEN got = page;
        END IF;
    END LOOP;
    IF looked_at = reach AND got < page THEN
        step.entry := NULL;
        RETURN NEXT step;
    END IF;
END
$$;

-- Look at the rows that the log finds, at most `reach`, for those whose item stands so.
CREATE FUNCTION loglist.along_log(
    wanted log.filter, page integer, reach integer,
    after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF loglist.step
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    standing text := loglist.outcome_of(wanted.standing);
    listed log.listed;
    step loglist.step;
    looked_at integer := 0;
    got integer := 0;
BEGIN
    FOR listed IN
        SELECT * FROM log.found(wanted, reach, after_at, after_outbox, after_sequence)
    LOOP
        looked_at := looked_at + 1;
        step := (listed.accepted_at, listed.outbox_id, listed.sequence, NULL);
        IF EXISTS (
            SELECT FROM loglist.loglist_reviewitem AS i
            WHERE i.unit = wanted.unit AND i.outbox = listed.outbox_id
              AND i.sequence = listed.sequence AND i.outcome = standing
        ) THEN
            step.entry := listed;
            RETURN NEXT step;
            got := got + 1;
            EXIT WHEN got = page;
        END IF;
    END LOOP;
    IF looked_at = reach AND got < page THEN
        step.entry := NULL;
        RETURN NEXT step;
    END IF;
END
$$;

-- Read a page of what was asked for by how it stands, as log.rows does for all else. If the walk
-- stopped before the page was full and the list at an end, the last step has no entry.
CREATE FUNCTION loglist.rows(
    reading bigint, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF loglist.step
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(loglist.token(), reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    is_search boolean :=
        coalesce(wanted.address, wanted.mailbox, wanted.part, wanted.words) IS NOT NULL;
    steps loglist.step[];
    total bigint;
BEGIN
    IF asked.action NOT IN ('list', 'export') OR page NOT BETWEEN 1 AND 10000
       OR wanted.unit IS NULL OR wanted.standing IS NULL THEN
        RAISE EXCEPTION 'rows are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    steps := ARRAY(SELECT s FROM loglist.along_items(
        wanted, page, greatest(page, CASE WHEN is_search THEN 2000 ELSE 5000 END),
        after_at, after_outbox, after_sequence) AS s);
    total := (SELECT count(*) FROM unnest(steps) AS s WHERE (s.entry).outbox_id IS NOT NULL);
    IF is_search AND total < cardinality(steps) THEN
        -- Few of those that stand so are what is searched for: the log finds them sooner.
        steps := ARRAY(SELECT s FROM loglist.along_log(
            wanted, page, greatest(page, 2000), after_at, after_outbox, after_sequence) AS s);
        total := (SELECT count(*) FROM unnest(steps) AS s WHERE (s.entry).outbox_id IS NOT NULL);
    END IF;
    RETURN QUERY SELECT * FROM unnest(steps);
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION loglist.outcome_of(text),
    loglist.along_items(log.filter, integer, integer, timestamptz, uuid, bigint),
    loglist.along_log(log.filter, integer, integer, timestamptz, uuid, bigint),
    loglist.rows(bigint, integer, timestamptz, uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.rows(bigint, integer, timestamptz, uuid, bigint)
    TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes the index of the walk along the items, and the functions."""

    dependencies: ClassVar = [("loglist", "0016_lag")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(
                fields=["unit", "outcome", "accepted_at", "outbox", "sequence"],
                name="review_item_standing",
            ),
        ),
        migrations.RunSQL(WALK, migrations.RunSQL.noop),
    ]
