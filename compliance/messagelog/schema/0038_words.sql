-- Subjects are searched by their words: an entry has five, and fifty trigrams, each of which cost
-- as much to append. 0039 has who searches by them. Why so: docs/decisions/0078-one-index-to-search.md
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

REVOKE ALL ON FUNCTION log.words_of(text), log.months_to_word(), log.note_words(date),
    log.note_late_words(), log.forget_words(), log.misworded(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.misworded(date, date) TO kommunpost_reader, kommunpost_sealer;
