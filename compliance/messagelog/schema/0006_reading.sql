-- Reading the log: who may, what of it, and the trace that each reading leaves.
-- Why it is so: docs/decisions/0024-readers.md. Expects the roles kommunpost_login and kommunpost_web.
SET LOCAL TIME ZONE 'UTC';

CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA public;

-- Parts of words within the rows of a unit. It serves words in their Swedish forms too: a stem
-- stands at the beginning of each of its forms.
CREATE INDEX entry_text ON log.entry USING gin (
    recipient_unit public.text_ops, sender_unit public.text_ops, subject public.gin_trgm_ops);
CREATE INDEX entry_from ON log.entry (lower(from_address), accepted_at);

-- How many entries each unit has a day, as people in Sweden count days. An entry counts once for
-- each unit that it belongs to; one of no unit counts for ''.
CREATE TABLE log.day_count (
    unit      text   NOT NULL,
    day       date   NOT NULL,
    direction text   NOT NULL,
    label     text   NOT NULL,
    -- Each outbox has rows of its own, so that two mail hosts never wait for one another.
    outbox_id uuid   NOT NULL,
    entries   bigint NOT NULL,
    PRIMARY KEY (unit, day, direction, label, outbox_id)
) WITH (fillfactor = 50);
CREATE INDEX day_count_day ON log.day_count (day);

-- Add to the counts what a statement put into the log, take off what a lawful disposal removed.
CREATE FUNCTION log.count_days() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    INSERT INTO log.day_count AS c
    SELECT u.unit, g.day, g.direction, g.label, g.outbox_id, sign * sum(g.entries)
    FROM (
        SELECT (e.accepted_at AT TIME ZONE 'Europe/Stockholm')::date AS day, e.direction,
               coalesce(e.label, '') AS label, e.outbox_id, e.recipient_unit, e.sender_unit,
               count(*) AS entries
        FROM changed AS e GROUP BY 1, 2, 3, 4, 5, 6
    ) AS g CROSS JOIN LATERAL (
        SELECT g.recipient_unit WHERE g.recipient_unit IS NOT NULL
        UNION SELECT g.sender_unit WHERE g.sender_unit IS NOT NULL
        UNION SELECT '' WHERE coalesce(g.recipient_unit, g.sender_unit) IS NULL
    ) AS u (unit)
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY 1, 2, 3, 4, 5  -- the same for all, so that no two wait for each other
    ON CONFLICT (unit, day, direction, label, outbox_id)
        DO UPDATE SET entries = c.entries + excluded.entries;
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_counted AFTER INSERT ON log.entry
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.count_days();
CREATE TRIGGER entry_discounted AFTER DELETE ON log.entry
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION log.count_days();

INSERT INTO log.day_count
SELECT u.unit, (e.accepted_at AT TIME ZONE 'Europe/Stockholm')::date, e.direction,
       coalesce(e.label, ''), e.outbox_id, count(*)
FROM log.entry AS e CROSS JOIN LATERAL (
    SELECT e.recipient_unit WHERE e.recipient_unit IS NOT NULL
    UNION SELECT e.sender_unit WHERE e.sender_unit IS NOT NULL
    UNION SELECT '' WHERE coalesce(e.recipient_unit, e.sender_unit) IS NULL
) AS u (unit)
GROUP BY 1, 2, 3, 4, 5;

-- Who is reading, and what the directory gave them when they logged in. Only a hash of the token
-- is kept: who reads this table can't read the log with it.
CREATE TABLE log.session (
    token_hash bytea       PRIMARY KEY,
    reader     text        NOT NULL,
    name       text        NOT NULL,
    units      text[]      NOT NULL,
    everything boolean     NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON COLUMN log.session.reader IS 'Lasting id of the person, e.g. person:10023.';
COMMENT ON COLUMN log.session.name IS 'As the directory called them; never of a protected identity.';
COMMENT ON COLUMN log.session.everything IS 'All units, and who has read what.';

-- Who asked for what. Written and committed before anything is read.
CREATE TABLE log.reading (
    number     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_in   xid8        NOT NULL DEFAULT pg_current_xact_id(),
    token_hash bytea       NOT NULL,
    reader     text        NOT NULL,
    name       text        NOT NULL,
    action     text        NOT NULL CHECK (action IN ('list', 'entry', 'export', 'count', 'audit')),
    unit       text,
    filter     jsonb       NOT NULL
);
CREATE INDEX reading_reader ON log.reading (reader, number);
CREATE INDEX reading_unit ON log.reading (unit, number);
COMMENT ON COLUMN log.reading.unit IS 'Null: all units.';

-- How many rows went out for it, page by page.
CREATE TABLE log.reading_page (
    reading bigint      NOT NULL REFERENCES log.reading,
    read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    rows    bigint      NOT NULL
);
CREATE INDEX reading_page_reading ON log.reading_page (reading);

CREATE TRIGGER reading_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.reading
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER reading_page_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.reading_page
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- What of a unit's rows is wanted. address: sender or recipient, exactly. words: in any Swedish
-- form. part: stands in the subject as it is. outbox and
-- sequence: one entry. probes: also the audit's own mail.
CREATE TYPE log.filter AS (
    unit text, since timestamptz, until timestamptz, direction text, address text, words text,
    part text, probes boolean, outbox uuid, sequence bigint);

CREATE TYPE log.listed AS (
    accepted_at timestamptz, outbox_id uuid, sequence bigint, direction text,
    envelope_sender text, from_address text, from_text text, recipient text, subject text,
    message_id text, queue_id text, size bigint, sender_unit text, recipient_unit text, label text,
    host text, authenticated_user text, attachments integer, attachment_names text,
    spam_verdict text);

-- Let a reader in whom the caller has identified; return the token that stands for them.
CREATE FUNCTION log.open_session(
    reader text, name text, units text[], everything boolean, minutes integer
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    token text := encode(log.new_seed(), 'hex');
BEGIN
    DELETE FROM log.session AS s WHERE s.expires_at < now();
    INSERT INTO log.session VALUES (
        sha256(convert_to(token, 'UTF8')), open_session.reader, open_session.name,
        open_session.units, open_session.everything, now() + make_interval(mins => minutes));
    RETURN token;
END
$$;

-- Whom a token stands for. An error if for nobody (any more).
CREATE FUNCTION log.session_of(token text) RETURNS log.session
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found log.session;
BEGIN
    SELECT s.* INTO found FROM log.session AS s
    WHERE s.token_hash = sha256(convert_to(token, 'UTF8')) AND s.expires_at > now();
    IF found.token_hash IS NULL THEN
        RAISE EXCEPTION 'nobody is logged in with this token'
            USING ERRCODE = 'invalid_authorization_specification';
    END IF;
    RETURN found;
END
$$;

CREATE FUNCTION log.close_session(token text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM log.session WHERE token_hash = sha256(convert_to(token, 'UTF8'))
$$;

-- Ask to read; return the number that the reading then goes by. It must be committed first: a
-- reading that is rolled back has left its trace all the same. An error if the unit isn't theirs.
CREATE FUNCTION log.ask(token text, action text, filter jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    -- An own unit is needed, but for those who may read all, and for counting all one's own.
    needs_unit boolean := NOT who.everything AND (action <> 'count' OR filter ? 'unit');
    made bigint;
BEGIN
    IF (needs_unit AND (filter ->> 'unit' = ANY (who.units)) IS NOT TRUE)
       OR (action = 'audit' AND NOT who.everything) THEN
        RAISE EXCEPTION 'this is not for % to read', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (
        SELECT FROM jsonb_object_keys(filter) AS k
        WHERE k NOT IN (SELECT attname FROM pg_attribute
                        WHERE attrelid = 'log.filter'::regclass AND attnum > 0)
    ) THEN
        RAISE EXCEPTION 'the filter % has a key that is none', filter
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM jsonb_populate_record(NULL::log.filter, filter);
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    VALUES (who.token_hash, who.reader, who.name, ask.action, filter ->> 'unit', filter)
    RETURNING number INTO made;
    RETURN made;
END
$$;

-- The reading that was asked for, if it is this session's and committed.
CREATE FUNCTION log.asked(token text, reading bigint) RETURNS log.reading
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    found log.reading;
BEGIN
    SELECT r.* INTO found FROM log.reading AS r
    WHERE r.number = reading AND r.token_hash = who.token_hash
      AND r.asked_in <> pg_current_xact_id();
    IF found.number IS NULL THEN
        RAISE EXCEPTION 'nothing was asked for by the number %', reading
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN found;
END
$$;

-- A pattern for ILIKE that finds a text where it stands as it is.
CREATE FUNCTION log.pattern_of(part text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT '%' || regexp_replace(part, '([\\%_])', '\\\1', 'g') || '%'
$$;

-- What the rows of a list must be besides the unit's. What comes from outside is quoted (%L).
CREATE FUNCTION log.conditions_of(wanted log.filter) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat(
        CASE WHEN wanted.direction IS NOT NULL THEN
            format(' AND e.direction = %L', wanted.direction) END,
        CASE WHEN wanted.part IS NOT NULL THEN
            format(' AND e.subject ILIKE %L', log.pattern_of(wanted.part)) END,
        (SELECT string_agg(format(' AND e.subject ILIKE %L', log.pattern_of(stem)), '')
         FROM unnest(tsvector_to_array(to_tsvector('pg_catalog.swedish', wanted.words))) AS stem),
        CASE WHEN wanted.words IS NOT NULL THEN
            format(' AND to_tsvector(''pg_catalog.swedish'', e.subject) @@ %L::tsquery',
                   plainto_tsquery('pg_catalog.swedish', wanted.words)) END,
        CASE WHEN wanted.probes IS NOT TRUE THEN
            ' AND e.label IS DISTINCT FROM ''probe''' END)
$$;

-- The statement that reads a page of a unit or of all: from $1 on, up to $2, behind the place
-- $3, $4, $5; at most $6 rows.
CREATE FUNCTION log.statement_for(wanted log.filter) RETURNS text
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
            '(SELECT e.* FROM log.entry AS e WHERE %s%s AND e.accepted_at >= $1
              AND e.accepted_at < $2 AND (e.accepted_at, e.outbox_id, e.sequence) < ($3, $4, $5)%s)',
            side, log.conditions_of(wanted),
            CASE WHEN coalesce(wanted.words, wanted.part) IS NULL THEN
                ' ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT $6'
            END), ' UNION ALL '))
    FROM unnest(CASE WHEN wanted.unit IS NULL THEN ARRAY['true'] ELSE ARRAY[
        format('e.recipient_unit = %L', wanted.unit), format('e.sender_unit = %L', wanted.unit)
    ] END) AS side
$$;

-- The span of time in which there can be wanted rows; nulls if there are none.
CREATE FUNCTION log.span_of(wanted log.filter, OUT low timestamptz, OUT high timestamptz)
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
    low := greatest(first::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.since);
    high := least((last + 1)::timestamp AT TIME ZONE 'Europe/Stockholm', wanted.until);
END
$$;

-- Read a page of at most `page` rows of what was asked for, newest first, behind the row that the
-- last page ended with ('infinity' for the first page). It walks back month by month, so that a
-- page costs the same however long the log is.
CREATE FUNCTION log.rows(
    token text, reading bigint, page integer, after_at timestamptz DEFAULT 'infinity',
    after_outbox uuid DEFAULT '00000000-0000-0000-0000-000000000000', after_sequence bigint DEFAULT 0
) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    statement text;
    span record;
    high timestamptz;
    low timestamptz;
    got bigint;
    total bigint := 0;
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR page NOT BETWEEN 1 AND 10000 THEN
        RAISE EXCEPTION 'rows are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF coalesce(wanted.address, wanted.sequence::text) IS NOT NULL THEN
        -- In 0009_addresses.sql.
        RETURN QUERY SELECT * FROM log.rows_at_once(
            wanted, page, after_at, after_outbox, after_sequence);
        GET DIAGNOSTICS total = ROW_COUNT;
    ELSE
        statement := log.statement_for(wanted);
        span := log.span_of(wanted);
        high := least(span.high, after_at + interval '1 microsecond');
        WHILE high > span.low AND total < page LOOP
            low := greatest(span.low, date_trunc('month', high - interval '1 microsecond'));
            RETURN QUERY EXECUTE statement
                USING low, high, after_at, after_outbox, after_sequence, page - total;
            GET DIAGNOSTICS got = ROW_COUNT;
            total := total + got;
            high := low;
        END LOOP;
    END IF;
    IF total > 0 THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
    END IF;
END
$$;

-- How many entries a day, by unit, direction and label: of the unit asked for, else of all that the
-- reader may see.
CREATE FUNCTION log.counts(token text, reading bigint)
RETURNS TABLE (unit text, day date, direction text, label text, entries bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    asked log.reading := log.asked(token, reading);
    wanted log.filter := jsonb_populate_record(NULL::log.filter, asked.filter);
    units text[] := CASE WHEN wanted.unit IS NOT NULL THEN ARRAY[wanted.unit]
                         WHEN NOT who.everything THEN who.units END;
    total bigint;
BEGIN
    IF asked.action <> 'count' THEN
        RAISE EXCEPTION 'counts are not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT c.unit, c.day, c.direction, c.label, sum(c.entries)::bigint
    FROM log.day_count AS c
    WHERE (units IS NULL OR c.unit = ANY (units))
      AND c.day >= coalesce((wanted.since AT TIME ZONE 'Europe/Stockholm')::date, '-infinity')
      AND c.day < coalesce((wanted.until AT TIME ZONE 'Europe/Stockholm')::date, 'infinity')
    GROUP BY c.unit, c.day, c.direction, c.label HAVING sum(c.entries) > 0
    ORDER BY c.unit, c.day, c.direction, c.label;
    GET DIAGNOSTICS total = ROW_COUNT;
    INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
END
$$;

-- Who has read what, newest first, before a number (null: from the newest on). For those alone who
-- may read everything.
CREATE FUNCTION log.trail(token text, reading bigint, page integer, before bigint DEFAULT NULL)
RETURNS TABLE (number bigint, asked_at timestamptz, reader text, name text, action text, unit text,
               filter jsonb, rows bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
    total bigint;
BEGIN
    IF asked.action <> 'audit' THEN
        RAISE EXCEPTION 'the trail is not what was asked for' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT r.number, r.asked_at, r.reader, r.name, r.action, r.unit, r.filter,
           (SELECT coalesce(sum(p.rows), 0)::bigint FROM log.reading_page AS p
            WHERE p.reading = r.number)
    FROM log.reading AS r
    WHERE (asked.unit IS NULL OR r.unit = asked.unit) AND r.number < coalesce(before, asked.number)
    ORDER BY r.number DESC LIMIT page;
    GET DIAGNOSTICS total = ROW_COUNT;
    INSERT INTO log.reading_page (reading, rows) VALUES (reading, total);
END
$$;

-- What the web application keeps of its own. It makes its tables itself, as the schema's owner.
CREATE SCHEMA loglist;
ALTER DEFAULT PRIVILEGES IN SCHEMA loglist
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO kommunpost_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA loglist GRANT USAGE ON SEQUENCES TO kommunpost_web;

REVOKE ALL ON FUNCTION log.count_days(), log.asked(text, bigint), log.pattern_of(text),
    log.conditions_of(log.filter), log.statement_for(log.filter), log.span_of(log.filter),
    log.open_session(text, text, text[], boolean, integer), log.session_of(text),
    log.close_session(text), log.ask(text, text, jsonb), log.counts(text, bigint),
    log.rows(text, bigint, integer, timestamptz, uuid, bigint),
    log.trail(text, bigint, integer, bigint) FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO kommunpost_login, kommunpost_web',
                   current_database());
END $$;
GRANT USAGE ON SCHEMA log TO kommunpost_login, kommunpost_web;
GRANT USAGE ON SCHEMA loglist TO kommunpost_web;
-- The technician logs in by the database's own password, on the control machine.
GRANT EXECUTE ON FUNCTION log.open_session(text, text, text[], boolean, integer)
    TO kommunpost_login, kommunpost_reader;
GRANT EXECUTE ON FUNCTION log.session_of(text), log.close_session(text),
    log.ask(text, text, jsonb), log.counts(text, bigint),
    log.rows(text, bigint, integer, timestamptz, uuid, bigint),
    log.trail(text, bigint, integer, bigint) TO kommunpost_web, kommunpost_reader;
