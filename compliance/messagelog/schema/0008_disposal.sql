-- Lawful disposal, what stops it, and who fetched what from the archive.
-- Expects the role kommunpost_disposer besides those of 0005.

-- While a request for documents or a review waits, what it is about is not disposed of.
CREATE TABLE log.hold (
    number          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL CHECK (kind IN ('request', 'review')),
    who             text        NOT NULL CHECK (who <> ''),
    why             text        NOT NULL CHECK (why <> ''),
    since           timestamptz NOT NULL DEFAULT now(),
    until           timestamptz,
    unit            text,
    accepted_from   timestamptz NOT NULL DEFAULT '-infinity',
    accepted_before timestamptz NOT NULL DEFAULT 'infinity'
);
COMMENT ON COLUMN log.hold.until IS 'When it ended; null while it stands.';
COMMENT ON COLUMN log.hold.unit IS 'Whose entries it stops, as sender or recipient; null: all.';
CREATE INDEX hold_standing ON log.hold (unit) WHERE until IS NULL;
CREATE TRIGGER hold_kept BEFORE DELETE OR TRUNCATE ON log.hold
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- The entries of a class ('message-log': all, 'probe': the audit's own mail) and month (UTC, its
-- first day) that were sealed, and whether a hold stops them.
CREATE FUNCTION log.disposable(class text, month date)
RETURNS TABLE (outbox_id uuid, sequence bigint, digest bytea, chain bytea, held boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH latest AS (
        SELECT s.text::jsonb AS says FROM log.statement AS s
        WHERE s.day IS NOT NULL ORDER BY s.number DESC LIMIT 1
    ), head AS MATERIALIZED (
        -- All days that one run closes have the same heads: up to them all closed days are signed.
        SELECT h.outbox, h.sequence
        FROM latest, jsonb_to_recordset(says -> 'heads') AS h (outbox uuid, sequence bigint)
    ), hold AS MATERIALIZED (
        SELECT h.unit, h.accepted_from, h.accepted_before FROM log.hold AS h
        WHERE h.until IS NULL OR h.until > now()
    )
    SELECT e.outbox_id, e.sequence, e.digest, e.chain, EXISTS (
        SELECT FROM hold
        WHERE e.accepted_at >= hold.accepted_from AND e.accepted_at < hold.accepted_before
          AND (hold.unit IS NULL OR hold.unit = e.sender_unit OR hold.unit = e.recipient_unit))
    FROM log.entry AS e JOIN head ON head.outbox = e.outbox_id AND e.sequence <= head.sequence
    WHERE e.accepted_at >= disposable.month::timestamptz
      AND e.accepted_at < disposable.month::timestamptz + interval '1 month'
      AND e.accepted_at < (SELECT max(s.day) + 1 FROM log.statement AS s)::timestamptz
      AND CASE disposable.class WHEN 'message-log' THEN true
                                WHEN 'probe' THEN e.label = 'probe' END
    ORDER BY e.outbox_id, e.sequence
$$;

-- What there is to dispose of before a month: by month, how many entries, and how many are held.
CREATE FUNCTION log.disposal_plan(class text, before date)
RETURNS TABLE (month date, entries bigint, held bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' AS $$
DECLARE
    first timestamptz := (SELECT min(e.accepted_at) FROM log.entry AS e);
BEGIN
    month := date_trunc('month', first);
    WHILE month < before LOOP
        SELECT count(*) FILTER (WHERE NOT d.held), count(*) FILTER (WHERE d.held)
        INTO entries, held FROM log.disposable(class, month) AS d;
        IF entries + held > 0 THEN
            RETURN NEXT;
        END IF;
        month := month + interval '1 month';
    END LOOP;
END
$$;

-- Carry out a signed disposal, whole or not at all: keep a tombstone of each entry, then delete it.
-- Refuses a statement that names no decision, another count than there is, or a month that is not
-- over. Returns how many entries went.
CREATE FUNCTION log.dispose(text text, signature bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    says jsonb := text::jsonb;
    month date := (says ->> 'month')::date;
    made bigint := (says ->> 'number')::bigint;
    name text := 'entry_' || to_char(month, 'YYYY_MM');
    went bigint;
    is_empty boolean;
BEGIN
    IF (says ->> 'kind' = 'disposal' AND btrim(says ->> 'decision') <> ''
        AND month < date_trunc('month', now())) IS NOT TRUE THEN
        RAISE EXCEPTION 'statement % decides no disposal of a month that is over', made
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO log.statement (number, day, text, signature)
        VALUES (made, NULL, dispose.text, dispose.signature);
    INSERT INTO log.tombstone (outbox_id, sequence, digest, chain, statement)
        SELECT d.outbox_id, d.sequence, d.digest, d.chain, made
        FROM log.disposable(says ->> 'class', month) AS d WHERE NOT d.held;
    GET DIAGNOSTICS went = ROW_COUNT;
    IF (went > 0 AND went = (says ->> 'entries')::bigint) IS NOT TRUE THEN
        RAISE EXCEPTION 'statement % is about % entries, and there are %', made,
            says ->> 'entries', went USING ERRCODE = 'data_exception';
    END IF;
    DELETE FROM log.entry AS e USING log.tombstone AS t
    WHERE t.statement = made AND e.outbox_id = t.outbox_id AND e.sequence = t.sequence
      AND e.accepted_at >= month::timestamptz
      AND e.accepted_at < month::timestamptz + interval '1 month';
    -- An empty month gives its disk back at once, and no index walks over it any more.
    IF to_regclass('log.' || name) IS NOT NULL THEN
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM log.%I)', name) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('DROP TABLE log.%I', name);
        END IF;
    END IF;
    RETURN went;
END
$$;

-- Who fetched which message from the archive, and why. Written and committed before it is read.
CREATE TABLE log.archive_reading (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    reader    text        NOT NULL CHECK (reader <> ''),
    why       text        NOT NULL CHECK (why <> ''),
    outbox_id uuid        NOT NULL,
    sequence  bigint      NOT NULL
);
CREATE TRIGGER archive_reading_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.archive_reading
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Ask for the message of an entry; return where it is to be found. No row if there is no such entry.
CREATE FUNCTION log.ask_archive(reader text, why text, outbox uuid, place bigint)
RETURNS TABLE (host text, queue_id text, accepted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT e.host, e.queue_id, e.accepted_at FROM log.entry AS e
        WHERE e.outbox_id = outbox AND e.sequence = place;
    IF FOUND THEN
        INSERT INTO log.archive_reading (reader, why, outbox_id, sequence)
            VALUES (ask_archive.reader, ask_archive.why, outbox, place);
    END IF;
END
$$;

-- Days (UTC) of the archive that were disposed of, and by whose decision.
CREATE TABLE log.archive_disposal (
    day         date        PRIMARY KEY,
    messages    bigint      NOT NULL,
    decision    text        NOT NULL CHECK (btrim(decision) <> ''),
    authority   text        NOT NULL CHECK (btrim(authority) <> ''),
    decided     date        NOT NULL,
    disposed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER archive_disposal_unchanged
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.archive_disposal
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Whether a hold covers a day of the archive. Its copies have no unit there: any unit's hold counts.
CREATE FUNCTION log.is_archive_held(day date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (
        SELECT FROM log.hold AS h
        WHERE (h.until IS NULL OR h.until > now())
          AND h.accepted_from < (day + 1)::timestamptz AND h.accepted_before > day::timestamptz)
$$;

-- Note that a day of the archive goes, before it goes; a second time for the same day is none.
CREATE FUNCTION log.dispose_of_archive(
    day date, messages bigint, decision text, authority text, decided date
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF log.is_archive_held(day) THEN
        RAISE EXCEPTION 'the archive of % is held', day USING ERRCODE = 'object_in_use';
    END IF;
    INSERT INTO log.archive_disposal (day, messages, decision, authority, decided)
        VALUES (day, messages, decision, authority, decided) ON CONFLICT DO NOTHING;
END
$$;

REVOKE ALL ON FUNCTION log.disposable(text, date), log.disposal_plan(text, date),
    log.dispose(text, bytea), log.ask_archive(text, text, uuid, bigint),
    log.is_archive_held(date), log.dispose_of_archive(date, bigint, text, text, date) FROM PUBLIC;
-- The sealer signs; only the disposer destroys, and only by the function.
REVOKE DELETE ON log.entry FROM kommunpost_sealer;
REVOKE INSERT ON log.tombstone FROM kommunpost_sealer;
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO kommunpost_disposer', current_database());
END $$;
GRANT USAGE ON SCHEMA log TO kommunpost_disposer;
GRANT SELECT ON log.statement, log.hold TO kommunpost_disposer;
GRANT EXECUTE ON FUNCTION log.disposable(text, date), log.disposal_plan(text, date),
    log.dispose(text, bytea) TO kommunpost_disposer;
GRANT SELECT ON log.hold, log.archive_reading, log.archive_disposal TO kommunpost_reader;
GRANT EXECUTE ON FUNCTION log.ask_archive(text, text, uuid, bigint), log.is_archive_held(date),
    log.dispose_of_archive(date, bigint, text, text, date) TO kommunpost_reader;
