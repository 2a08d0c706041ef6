-- Conversations: entries that name one another by Message-ID. Why so: docs/decisions/0067-references.md

-- The ids that an entry is known by and refers to, for the index and for who searches in it.
CREATE FUNCTION log.ids_of(message_id text, refers_to text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT pg_catalog.string_to_array(
        message_id || CASE WHEN refers_to <> '' THEN E'\n' || refers_to ELSE '' END, E'\n')
$$;
CREATE INDEX entry_ids ON log.entry
    USING gin ((log.ids_of(message_id, "references")) COLLATE "C");

-- The conversation of the entry that was asked for, as far as it is in the list of the unit asked
-- for, newest first, at most `page`. An entry belongs to it that shares an id with one that does:
-- as its own or as one that it refers to. It grows in five rounds at most, and to some 500 ids: a
-- stranger can write any id into a letter.
CREATE FUNCTION log.conversation(token text, reading bigint, page integer) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
-- As in 0009 the plan is kept; it doesn't know how few rows have an id, and must not read them all.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    known text[] := '{}';
    fresh text[];
    total bigint;
BEGIN
    IF asked.action <> 'entry' OR page NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'a conversation is not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT array_remove(log.ids_of(e.message_id, e."references"), '') INTO fresh
    FROM log.entry AS e
    WHERE e.outbox_id = wanted.outbox AND e.sequence = wanted.sequence
      AND (wanted.unit IS NULL OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit);
    FOR round IN 1..5 LOOP
        EXIT WHEN coalesce(cardinality(fresh), 0) = 0 OR cardinality(known) >= 500;
        known := known || fresh;
        SELECT (array_agg(DISTINCT n.id))[:200] INTO fresh
        FROM (
            SELECT e.message_id, e."references" FROM log.entry AS e
            WHERE log.ids_of(e.message_id, e."references") COLLATE "C" && fresh
              AND (wanted.unit IS NULL
                   OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit)
            LIMIT 1000
        ) AS e CROSS JOIN LATERAL unnest(log.ids_of(e.message_id, e."references")) AS n (id)
        WHERE n.id <> '' AND n.id <> ALL (known);
    END LOOP;
    RETURN QUERY
    WITH e AS MATERIALIZED (
        SELECT listed.*
        FROM log.entry AS e CROSS JOIN LATERAL log.listed_of(e) AS listed
        WHERE log.ids_of(e.message_id, e."references") COLLATE "C" && known
          AND (wanted.unit IS NULL
               OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit)
        LIMIT 5000
    )
    SELECT * FROM e ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page;
    GET DIAGNOSTICS total = ROW_COUNT;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.ids_of(text, text), log.conversation(text, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.conversation(text, bigint, integer)
    TO kommunpost_web, kommunpost_reader;
