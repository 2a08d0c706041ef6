-- Reading costs less: leave, planning, and an address that fills a page in days. What a question
-- answers is as before. Why so: docs/decisions/0024-readers.md and
-- docs/decisions/0078-one-index-to-search.md

-- As in 0006, by one question. It makes no number for the transaction: one that has none has asked for
-- nothing.
CREATE OR REPLACE FUNCTION log.asked(token text, reading bigint) RETURNS log.reading
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found log.reading;
BEGIN
    SELECT r.* INTO found
    FROM log.session AS s JOIN log.reading AS r ON r.token_hash = s.token_hash
    WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.expires_at > now()
      AND r.number = reading AND r.asked_in IS DISTINCT FROM pg_current_xact_id_if_assigned();
    IF found.number IS NULL THEN
        PERFORM log.session_of(token);  -- says so if that is why
        RAISE EXCEPTION 'nothing was asked for by the number %', reading
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found;
END
$$;

-- As in 0006, but that it looks for the session itself, and for keys that are none by the type's own
-- names, which it has at hand when it has read the filter.
CREATE OR REPLACE FUNCTION log.ask(token text, action text, filter jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session;
    known jsonb;
    made bigint;
BEGIN
    SELECT s.* INTO who FROM log.session AS s
    WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.expires_at > now();
    IF who.token_hash IS NULL THEN
        PERFORM log.session_of(token);  -- says so
    END IF;
    -- An own unit is needed, but for those who may read all, and for counting all one's own.
    IF (NOT who.everything AND (action <> 'count' OR filter ? 'unit')
        AND (filter ->> 'unit' = ANY (who.units)) IS NOT TRUE)
       OR (action = 'audit' AND NOT who.everything) THEN
        RAISE EXCEPTION 'this is not for % to read', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    known := to_jsonb(jsonb_populate_record(NULL::log.filter, filter));
    -- Every key that is one is overwritten by what it was read as: what is left more is none.
    IF filter || known <> known THEN
        RAISE EXCEPTION 'the filter % has a key that is none', filter
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    VALUES (who.token_hash, who.reader, who.name, ask.action, filter ->> 'unit', filter)
    RETURNING number INTO made;
    RETURN made;
END
$$;

-- The functions from here on are called by those alone that set the path, and each names its schemas.

-- As in 0017.
CREATE OR REPLACE FUNCTION log.span_of(
    wanted log.filter, OUT low timestamptz, OUT high timestamptz
)
LANGUAGE plpgsql STABLE AS $$
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

-- The table that has a month's entries: its own; if it has none, that of all such months.
CREATE FUNCTION log.table_of(month timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    name text := 'entry_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    RETURN CASE WHEN to_regclass('log.' || name) IS NULL THEN 'entry_other' ELSE name END;
END
$$;

-- The texts that a subject must have, in any case, for what is wanted.
CREATE FUNCTION log.texts_of(wanted log.filter) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN array_remove(ARRAY[wanted.part], NULL)
        || tsvector_to_array(to_tsvector('pg_catalog.swedish', wanted.words));
END
$$;

-- What texts that are looked for, in a month that is noted, demand of an entry's words: that it has
-- one of those that have the text's own. All but the first and the last of these are whole. A part
-- that a thousand words have, or of one sign or two, demands nothing: such is soon found along time.
-- Each demand is an array of words as text, to be given beside a statement; one without words tells
-- that the month has nothing of it. None if nothing is demanded. The plan is kept, and doesn't know
-- how few words have a part.
CREATE FUNCTION log.words_wanted(texts text[], month date) RETURNS text[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_indexscan = off SET enable_indexonlyscan = off AS $$
DECLARE
    piece record;
    words text[];
    demands text[] := '{}';
    long text[] := ARRAY(SELECT w.word FROM log.word AS w
                         WHERE w.word = ' ' AND w.month = words_wanted.month);
BEGIN
    FOR piece IN
        SELECT p.word, p.place = 1 AS is_first, p.place = cardinality(s.words) AS is_last
        FROM unnest(texts) AS t (text)
        CROSS JOIN LATERAL string_to_array(lower(t.text), ' ') AS s (words)
        CROSS JOIN unnest(s.words) WITH ORDINALITY AS p (word, place)
    LOOP
        IF piece.is_first OR piece.is_last THEN
            CONTINUE WHEN length(piece.word) < 3;
            words := ARRAY(
                SELECT w.word FROM log.word AS w
                WHERE w.month = words_wanted.month AND w.word LIKE
                    CASE WHEN piece.is_first THEN '%' ELSE '' END
                    || regexp_replace(piece.word, '([\\%_])', '\\\1', 'g')
                    || CASE WHEN piece.is_last THEN '%' ELSE '' END
                LIMIT 1000);
            CONTINUE WHEN cardinality(words) = 1000;
        ELSE
            words := ARRAY[piece.word];
        END IF;
        demands := demands || (words || long)::text;
    END LOOP;
    RETURN demands;
END
$$;

-- The statement that reads a page of a month, in the table that is put in for %I: from $1 on, up to
-- $2, behind the place $3, $4, $5; at most $6 rows; of the unit $7 and the direction $8; with the
-- patterns $9 and the words $10 in the subject, which the index finds by so many demands $11; without
-- any it goes along time. Nothing that comes from outside is in it. A pattern is a question of its own, so that the planner
-- doesn't hold it against all the subjects of its statistics: that takes longer than to read a month.
DROP FUNCTION log.statement_for(log.filter);
DROP FUNCTION log.conditions_of(log.filter);
CREATE FUNCTION log.statement_for(wanted log.filter, texts integer, demands integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    columns text := 'e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
        e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
        e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
        e.attachment_names, e.spam_verdict';
    span text := 'e.accepted_at >= $1 AND e.accepted_at < $2';
    others text := ' AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)';
    page text := ' ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6';
BEGIN
    IF wanted.direction IS NOT NULL THEN
        others := others || ' AND e.direction = $8';
    END IF;
    IF wanted.probes IS NOT TRUE THEN
        others := others || ' AND e.label IS DISTINCT FROM ''probe''';
    END IF;
    FOR number IN 1..texts LOOP
        others := others || ' AND e.subject ILIKE (SELECT $9[' || number || '])';
    END LOOP;
    IF wanted.words IS NOT NULL THEN
        others := others || ' AND to_tsvector(''pg_catalog.swedish'', e.subject) @@ $10';
    END IF;
    IF demands > 0 THEN
        IF wanted.unit IS NOT NULL THEN
            span := span || ' AND log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C"
                @> ARRAY[$7]';
        END IF;
        FOR number IN 1..demands LOOP
            span := span || ' AND log.words_of(e.subject) COLLATE "C"
                && (SELECT $11[' || number || ']::text[])';
        END LOOP;
        -- Materialized, so that the planner can't take a search in text for a walk along time.
        RETURN 'WITH e AS MATERIALIZED (SELECT ' || columns || ' FROM log.%1$I AS e WHERE ' || span
            || ') SELECT * FROM e WHERE true' || others || page;
    ELSIF wanted.unit IS NULL THEN
        RETURN 'SELECT ' || columns || ' FROM log.%1$I AS e WHERE ' || span || others || page;
    END IF;
    -- Each side of the mail; what is on both, once.
    RETURN 'SELECT * FROM ((SELECT ' || columns || ' FROM log.%1$I AS e
            WHERE e.recipient_unit = $7 AND ' || span || others || page || ')
        UNION ALL (SELECT ' || columns || ' FROM log.%1$I AS e
            WHERE e.sender_unit = $7 AND e.recipient_unit IS DISTINCT FROM $7 AND '
        || span || others || page || ')) AS e' || page;
END
$$;

-- How many entries a month an address has that fills a page in days. It is a hint: what comes late is not
-- counted, and months that were noted before this have none.
CREATE TABLE log.busy_address (
    key     integer NOT NULL,
    month   date    NOT NULL,
    entries integer NOT NULL,
    PRIMARY KEY (key, month)
);
COMMENT ON TABLE log.busy_address IS
    'Those of log.address_month that have 200 entries or more in that month.';

-- As in 0027, with how many the busy ones have.
CREATE OR REPLACE FUNCTION log.note_addresses(month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := 'entry_' || to_char(month, 'YYYY_MM');
BEGIN
    EXECUTE format('LOCK TABLE log.%I IN SHARE MODE', name);
    EXECUTE format(
        'WITH counted AS MATERIALIZED (
             SELECT k.key, count(*) AS entries
             FROM log.%I AS e
             CROSS JOIN LATERAL (SELECT DISTINCT n.key FROM log.address_keys(e) AS n (key)) AS k
             GROUP BY k.key
         ), busy AS (
             INSERT INTO log.busy_address SELECT c.key, $1, c.entries FROM counted AS c
             WHERE c.entries >= 200
             ON CONFLICT (key, month) DO UPDATE SET entries = excluded.entries
         )
         INSERT INTO log.address_month SELECT c.key, $1 FROM counted AS c
         ORDER BY 1  -- so each page of the index is written once
         ON CONFLICT DO NOTHING', name) USING month;
    INSERT INTO log.addressed_month VALUES (month) ON CONFLICT DO NOTHING;
END
$$;

-- As in 0027, with the busy ones.
CREATE OR REPLACE FUNCTION log.forget_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    months date[] := ARRAY(SELECT DISTINCT date_trunc('month', e.accepted_at)::date
                           FROM changed AS e);
BEGIN
    DELETE FROM log.addressed_month AS m WHERE m.month = ANY (months);
    DELETE FROM log.address_month AS a WHERE a.month = ANY (months);
    DELETE FROM log.busy_address AS b WHERE b.month = ANY (months);
    RETURN NULL;
END
$$;

-- Since when, within the month before a time, a busy address is likely to have a page twice over; null if
-- it is not busy.
CREATE FUNCTION log.busy_since(wanted log.filter, high timestamptz, page integer)
RETURNS timestamptz
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    addresses text[] := log.addresses_wanted(wanted);
    wanted_key integer := log.address_key(coalesce(wanted.unit, ''), addresses[1]);
    last date := high AT TIME ZONE 'UTC';
    busy integer := (
        SELECT b.entries FROM log.busy_address AS b
        WHERE b.key = wanted_key AND b.month BETWEEN last - 92 AND last
        ORDER BY b.month DESC LIMIT 1);
BEGIN
    IF coalesce(busy, 0) < 4 * page OR cardinality(addresses) > 1
       OR coalesce(wanted.part, wanted.words) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RETURN greatest(high - interval '1 month' * (2.0 * page / busy),
                    date_trunc('month', high - interval '1 microsecond', 'UTC'));
END
$$;

-- A page of a busy address between two times of a month: by two indexes at once, of which one knows the
-- address and the other the time, so that of hundreds of rows those of the time alone are read.
CREATE FUNCTION log.rows_of_busy_address(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_indexscan = off AS $$
DECLARE
    of_unit text := CASE WHEN wanted.unit IS NULL THEN '' ELSE
        ' AND (e.recipient_unit = $7 OR e.sender_unit = $7)
          AND log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> ARRAY[$7]' END;
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
            e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
            e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
            e.attachment_names, e.spam_verdict
         FROM log.%I AS e
         WHERE e.accepted_at >= $1 AND e.accepted_at < $2
           AND log.addresses_of(e.recipient, e.envelope_sender, e.from_address) COLLATE "C"
               @> $8' || of_unit || '
           AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)
           AND ($9 IS NULL OR e.direction = $9) AND ($10 OR e.label IS DISTINCT FROM ''probe'')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6',
        log.table_of(low))
        USING low, high, after_at, after_outbox, after_sequence, page, wanted.unit,
              log.addresses_wanted(wanted), wanted.direction, coalesce(wanted.probes, false);
EXCEPTION WHEN undefined_table THEN
    RETURN;  -- an empty month that was dropped just now
END
$$;

-- A page of what is wanted between two times, walking back month by month: a page costs the same however
-- long the log is. A statement names the month's own table: what it is planned for is that alone. A
-- search in text goes by words as far as a month's are noted, and along time through what is newer.
CREATE FUNCTION log.rows_of_months(
    wanted log.filter, low timestamptz, high timestamptz, after_at timestamptz, after_outbox uuid,
    after_sequence bigint, page bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE AS $$
DECLARE
    texts text[] := '{}';
    patterns text[];
    demands text[];
    query tsquery;
    noted_before timestamptz;
    from_time timestamptz;
    to_time timestamptz := high;
    got bigint;
    total bigint := 0;
BEGIN
    IF coalesce(wanted.part, wanted.words) IS NOT NULL THEN
        texts := log.texts_of(wanted);
        query := plainto_tsquery('pg_catalog.swedish', wanted.words);
    END IF;
    patterns := ARRAY(SELECT log.pattern_of(t.text) FROM unnest(texts) AS t (text));
    WHILE to_time > low AND total < page LOOP
        from_time := date_trunc('month', to_time - interval '1 microsecond', 'UTC');
        demands := '{}';
        IF texts <> '{}' THEN
            noted_before := (SELECT m.before FROM log.worded_month AS m
                             WHERE m.month = (from_time AT TIME ZONE 'UTC')::date);
            IF noted_before >= to_time THEN
                demands := log.words_wanted(texts, (from_time AT TIME ZONE 'UTC')::date);
            ELSE
                from_time := greatest(from_time, noted_before);
            END IF;
        END IF;
        from_time := greatest(low, from_time);
        IF '{}' = ANY (demands) THEN  -- no subject of the month has such a word
            to_time := from_time;
            CONTINUE;
        END IF;
        BEGIN
            RETURN QUERY EXECUTE format(
                log.statement_for(wanted, cardinality(patterns), cardinality(demands)),
                log.table_of(from_time))
                USING from_time, to_time, after_at, after_outbox, after_sequence, page - total,
                      wanted.unit, wanted.direction, patterns, query, demands;
            GET DIAGNOSTICS got = ROW_COUNT;
            total := total + got;
        EXCEPTION WHEN undefined_table THEN
            NULL;  -- an empty month that was dropped just now
        END;
        to_time := from_time;
    END LOOP;
END
$$;

-- As in 0027, but that a busy address is looked for in its last days first.
CREATE OR REPLACE FUNCTION log.found(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE AS $$
DECLARE
    span record;
    high timestamptz;
    busy_since timestamptz;
    total bigint := 0;
BEGIN
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY SELECT * FROM log.row_at(wanted);
        RETURN;
    END IF;
    span := log.span_of(wanted);
    high := least(span.high, after_at + interval '1 microsecond');
    IF log.addresses_wanted(wanted) = '{}' THEN
        RETURN QUERY SELECT * FROM log.rows_of_months(
            wanted, span.low, high, after_at, after_outbox, after_sequence, page);
        RETURN;
    END IF;
    busy_since := greatest(span.low, log.busy_since(wanted, high, page));
    IF busy_since > span.low THEN
        RETURN QUERY SELECT * FROM log.rows_of_busy_address(
            wanted, busy_since, high, after_at, after_outbox, after_sequence, page);
        GET DIAGNOSTICS total = ROW_COUNT;
        high := busy_since;
    END IF;
    IF total < page THEN
        RETURN QUERY SELECT * FROM log.rows_of_addresses(
            wanted, span.low, high, after_at, after_outbox, after_sequence, page - total);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.table_of(timestamptz), log.texts_of(log.filter),
    log.words_wanted(text[], date), log.statement_for(log.filter, integer, integer),
    log.busy_since(log.filter, timestamptz, integer),
    log.rows_of_busy_address(
        log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint),
    log.rows_of_months(log.filter, timestamptz, timestamptz, timestamptz, uuid, bigint, bigint)
    FROM PUBLIC;
