-- Subjects are searched by their words: an entry has five, and fifty trigrams, each of which cost
-- as much to append. Why so: docs/decisions/0078-one-index-to-search.md
SET LOCAL TIME ZONE 'UTC';

-- What stands between blanks in a subject, in lower case, for the index and for who searches in it. A
-- page of an index can't hold a word of any length: a long subject has one blank for its words.
CREATE FUNCTION log.words_of(subject text) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN pg_catalog.octet_length(subject) < 1500
           THEN pg_catalog.string_to_array(pg_catalog.lower(subject), ' ') ELSE ARRAY[' '] END
$$;

DROP INDEX log.entry_search;
CREATE INDEX entry_search ON log.entry USING gin (
    (log.units_of(recipient_unit, sender_unit)) COLLATE "C",
    (log.addresses_of(recipient, envelope_sender, from_address)) COLLATE "C",
    (log.words_of(subject)) COLLATE "C");

-- Which words a month has, to find those that have a part. In the index trigrams stand beside the
-- month, so that a longer log doesn't make a month's words dearer; each look would read the pending
-- list.
CREATE TABLE log.word (
    word  text COLLATE "C" NOT NULL,
    month date NOT NULL,
    PRIMARY KEY (word, month)
);
CREATE INDEX word_part ON log.word USING gin (month public.date_ops, word public.gin_trgm_ops)
    WITH (fastupdate = off);
COMMENT ON TABLE log.word IS
    'The log.words_of each entry that log.worded_month speaks of.';

CREATE TABLE log.worded_month (
    month  date        PRIMARY KEY,
    before timestamptz NOT NULL
);
COMMENT ON TABLE log.worded_month IS
    'Months (UTC, their first day) of which log.word has every word of the entries before a time.';

-- Months of which log.word lacks days that are over.
CREATE FUNCTION log.months_to_word() RETURNS SETOF date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT m.month
    FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (SELECT to_date(c.relname, '"entry_"YYYY_MM')) AS m (month)
    LEFT JOIN log.worded_month AS w ON w.month = m.month
    WHERE i.inhparent = 'log.entry'::regclass AND c.relname ~ '^entry_\d{4}_\d\d$'
      AND coalesce(w.before, m.month)
          < least(date_trunc('day', now()), m.month + interval '1 month')
    ORDER BY m.month
$$;

-- Note the words of a month's days that are over. What is appended to that month meanwhile waits, and
-- is then noted by itself.
CREATE FUNCTION log.note_words(month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    name text := 'entry_' || to_char(month, 'YYYY_MM');
    since timestamptz;
    before timestamptz;
BEGIN
    EXECUTE format('LOCK TABLE log.%I IN SHARE MODE', name);
    before := least(date_trunc('day', now()), month + interval '1 month');
    SELECT w.before INTO since FROM log.worded_month AS w WHERE w.month = note_words.month;
    EXECUTE format(
        'INSERT INTO log.word
         SELECT DISTINCT w.word COLLATE "C", $1
         FROM log.%I AS e CROSS JOIN unnest(log.words_of(e.subject)) AS w (word)
         WHERE e.accepted_at >= $2 AND e.accepted_at < $3
         ORDER BY 1  -- so each page of the index is written once
         ON CONFLICT DO NOTHING', name) USING month, coalesce(since, month), before;
    INSERT INTO log.worded_month AS w VALUES (month, before)
        ON CONFLICT ON CONSTRAINT worded_month_pkey
        DO UPDATE SET before = greatest(w.before, excluded.before);
END
$$;

-- What comes late, into days that are noted, is noted too.
CREATE FUNCTION log.note_late_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    noted_before timestamptz := (SELECT max(m.before) FROM log.worded_month AS m);
BEGIN
    IF EXISTS (SELECT FROM changed AS e WHERE e.accepted_at < noted_before) THEN
        INSERT INTO log.word
        SELECT DISTINCT w.word COLLATE "C", m.month
        FROM changed AS e
        JOIN log.worded_month AS m ON m.month = date_trunc('month', e.accepted_at)::date
            AND e.accepted_at < m.before
        CROSS JOIN unnest(log.words_of(e.subject)) AS w (word)
        ORDER BY 1, 2  -- the same for all, so that no two wait for each other
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_late_words AFTER INSERT ON log.entry
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.note_late_words();

-- After a lawful disposal nothing of it is left here; what is left of the month is noted anew.
CREATE FUNCTION log.forget_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    months date[] := ARRAY(SELECT DISTINCT date_trunc('month', e.accepted_at)::date
                           FROM changed AS e);
BEGIN
    DELETE FROM log.worded_month AS m WHERE m.month = ANY (months);
    DELETE FROM log.word AS w WHERE w.month = ANY (months);
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_words_forgotten AFTER DELETE ON log.entry
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.forget_words();

-- The months from a day on and before another (null: all) of whose entries log.word lacks words that
-- it is said to have, and how many. A month is text, since one that was put in may be none.
CREATE FUNCTION log.misworded(since date, until date)
RETURNS TABLE (month text, lacking bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET jit = off AS $$
    SELECT m.month::text, count(*)
    FROM log.worded_month AS m CROSS JOIN LATERAL (
        SELECT DISTINCT w.word COLLATE "C" AS word
        FROM log.entry AS e CROSS JOIN unnest(log.words_of(e.subject)) AS w (word)
        WHERE e.accepted_at >= m.month::timestamptz
          AND e.accepted_at < least(m.month::timestamptz + interval '1 month', m.before)
    ) AS own
    WHERE (until IS NULL OR m.month < until)
      AND m.month + interval '1 month' > coalesce(since, '-infinity')
      AND NOT EXISTS (SELECT FROM log.word AS w WHERE w.word = own.word AND w.month = m.month)
    GROUP BY m.month ORDER BY m.month
$$;

-- What a text that is looked for, in a month that is noted, demands of an entry's words: that it has
-- one of those that have the text's own. All but the first and the last of these are whole. A part
-- that a thousand words have, or of one sign or two, demands nothing: such is soon found along time.
-- Null if nothing is demanded. The plan is kept, and doesn't know how few words have a part.
CREATE FUNCTION log.words_wanted(wanted log.filter, month date) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexscan = off
SET enable_indexonlyscan = off AS $$
DECLARE
    piece record;
    words text[];
    demanded text := '';
    long text[] := ARRAY(SELECT w.word FROM log.word AS w
                         WHERE w.word = ' ' AND w.month = words_wanted.month);
BEGIN
    FOR piece IN
        SELECT p.word, p.place = 1 AS is_first, p.place = cardinality(s.words) AS is_last
        FROM unnest(wanted.part || tsvector_to_array(
            to_tsvector('pg_catalog.swedish', wanted.words))) AS t (part)
        CROSS JOIN LATERAL string_to_array(lower(t.part), ' ') AS s (words)
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
        words := words || long;
        IF words = '{}' THEN
            RETURN ' AND false';
        END IF;
        demanded := demanded || format(
            ' AND log.words_of(e.subject) COLLATE "C" && %L::text[]', words);
    END LOOP;
    RETURN nullif(demanded, '');
END
$$;

-- As in 0021, but that it is told what a search in text demands of words; if null, it goes along time.
DROP FUNCTION log.statement_for(log.filter);
CREATE FUNCTION log.statement_for(wanted log.filter, demanded text DEFAULT NULL) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        -- Materialized, so that the planner can't take a search in text for a walk along time.
        'WITH e AS MATERIALIZED (%s) SELECT DISTINCT ON (e.accepted_at, e.outbox_id, e.sequence)
         e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
         e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
         e.recipient_unit, e.label, e.host, e.authenticated_user,
         e.attachments, e.attachment_names, e.spam_verdict FROM e
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6',
        string_agg(format(
            '(SELECT e.* FROM log.entry AS e WHERE %s%s%s AND e.accepted_at >= $1
              AND e.accepted_at < $2 AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)%s)',
            side, demanded, log.conditions_of(wanted), CASE WHEN demanded IS NULL THEN
                ' ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6'
            END), ' UNION ALL '))
    FROM unnest(CASE WHEN wanted.unit IS NULL THEN ARRAY['true'] WHEN demanded IS NOT NULL THEN ARRAY[
            format('log.units_of(e.recipient_unit, e.sender_unit) COLLATE "C" @> ARRAY[%L]',
                   wanted.unit)
        ] ELSE ARRAY[
            format('e.recipient_unit = %L', wanted.unit), format('e.sender_unit = %L', wanted.unit)
        ] END) AS side
$$;

-- As in 0027, but that a search in text goes by words as far as a month's are noted, and along time
-- through what is newer.
CREATE OR REPLACE FUNCTION log.found(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    is_text boolean := coalesce(wanted.part, wanted.words) IS NOT NULL;
    along_time text;
    demanded text;
    span record;
    began timestamptz;  -- the month
    noted_before timestamptz;
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
    along_time := log.statement_for(wanted);
    WHILE high > span.low AND total < page LOOP
        began := date_trunc('month', high - interval '1 microsecond');
        low := greatest(span.low, began);
        demanded := NULL;
        IF is_text THEN
            SELECT m.before INTO noted_before
            FROM log.worded_month AS m WHERE m.month = began::date;
            IF noted_before >= high THEN
                demanded := log.words_wanted(wanted, began::date);
            ELSE
                low := greatest(low, noted_before);
            END IF;
        END IF;
        RETURN QUERY EXECUTE
            CASE WHEN demanded IS NULL THEN along_time ELSE log.statement_for(wanted, demanded) END
            USING low, high, after_at, after_outbox, after_sequence, page - total;
        GET DIAGNOSTICS got = ROW_COUNT;
        total := total + got;
        high := low;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION log.words_of(text), log.months_to_word(), log.note_words(date),
    log.note_late_words(), log.forget_words(), log.misworded(date, date),
    log.words_wanted(log.filter, date), log.statement_for(log.filter, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.misworded(date, date) TO kommunpost_reader, kommunpost_sealer;
