-- Who read what is disposed of by decision as the log itself is: a search names whom it is about.

-- Months (UTC) of which the trace was disposed of, and by whose decision.
CREATE TABLE log.reading_disposal (
    month       date        NOT NULL CHECK (month = date_trunc('month', month)),
    readings    bigint      NOT NULL,
    decision    text        NOT NULL CHECK (btrim(decision) <> ''),
    authority   text        NOT NULL CHECK (btrim(authority) <> ''),
    decided     date        NOT NULL,
    disposed_at timestamptz NOT NULL,
    PRIMARY KEY (month, disposed_at)  -- what a clock that was set back adds goes by itself
);
CREATE TRIGGER reading_disposal_unchanged
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.reading_disposal
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- A reading takes its pages along, and who fetched its message.
CREATE INDEX archive_reading_reading ON log.archive_reading (reading);
CREATE INDEX archive_addition_reading ON log.archive_addition (reading);
ALTER TABLE log.reading_page DROP CONSTRAINT reading_page_reading_fkey;
ALTER TABLE log.reading_page ADD CONSTRAINT reading_page_reading_fkey
    FOREIGN KEY (reading) REFERENCES log.reading ON DELETE CASCADE;
ALTER TABLE log.archive_reading DROP CONSTRAINT archive_reading_reading_fkey;
ALTER TABLE log.archive_reading ADD CONSTRAINT archive_reading_reading_fkey
    FOREIGN KEY (reading) REFERENCES log.reading ON DELETE CASCADE;

CREATE FUNCTION log.is_trace_disposed(at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (SELECT FROM log.reading_disposal AS d WHERE d.month = date_trunc('month', at))
$$;

CREATE FUNCTION log.is_reading(reading bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM log.reading AS r WHERE r.number = reading)
$$;

DROP TRIGGER reading_unchanged ON log.reading;
CREATE TRIGGER reading_unchanged BEFORE UPDATE OR TRUNCATE ON log.reading
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER reading_disposed_lawfully BEFORE DELETE ON log.reading
    FOR EACH ROW WHEN (NOT log.is_trace_disposed(OLD.asked_at))
    EXECUTE FUNCTION log.refuse_change();
DROP TRIGGER reading_page_unchanged ON log.reading_page;
CREATE TRIGGER reading_page_unchanged BEFORE UPDATE OR TRUNCATE ON log.reading_page
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER reading_page_goes_along BEFORE DELETE ON log.reading_page
    FOR EACH ROW WHEN (log.is_reading(OLD.reading)) EXECUTE FUNCTION log.refuse_change();
DROP TRIGGER archive_reading_unchanged ON log.archive_reading;
CREATE TRIGGER archive_reading_unchanged BEFORE UPDATE OR TRUNCATE ON log.archive_reading
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
-- What a technician fetched has no reading.
CREATE TRIGGER archive_reading_goes_along BEFORE DELETE ON log.archive_reading
    FOR EACH ROW WHEN (CASE WHEN OLD.reading IS NULL THEN NOT log.is_trace_disposed(OLD.asked_at)
                       ELSE log.is_reading(OLD.reading) END)
    EXECUTE FUNCTION log.refuse_change();

-- The trace before a month, by month: readings, and what a technician fetched from the archive.
-- By whom a letter was handed over to the archive stays as long as the note of that. A month is
-- held while mail is that came before its end: what was read then may be about that.
CREATE FUNCTION log.trace_plan(before date)
RETURNS TABLE (month date, readings bigint, held bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' AS $$
    WITH asked AS (
        SELECT r.asked_at FROM log.reading AS r WHERE r.asked_at < before::timestamptz
            AND NOT EXISTS (SELECT FROM log.archive_addition AS a WHERE a.reading = r.number)
        UNION ALL
        SELECT a.asked_at FROM log.archive_reading AS a
        WHERE a.reading IS NULL AND a.asked_at < before::timestamptz
    ), counted AS (
        SELECT date_trunc('month', asked.asked_at) AS month, count(*) AS found
        FROM asked GROUP BY 1
    ), judged AS (
        SELECT c.month, c.found, EXISTS (
            SELECT FROM log.hold AS h WHERE (h.until IS NULL OR h.until > now())
            AND h.accepted_from < c.month + interval '1 month') AS is_held
        FROM counted AS c
    )
    SELECT j.month::date, CASE WHEN j.is_held THEN 0 ELSE j.found END,
        CASE WHEN j.is_held THEN j.found ELSE 0 END
    FROM judged AS j ORDER BY 1
$$;

-- What may go of a class, by month: of entries as before, of who read what as said above.
ALTER FUNCTION log.disposal_plan(text, date) RENAME TO entry_plan;
CREATE FUNCTION log.disposal_plan(class text, before date)
RETURNS TABLE (month date, entries bigint, held bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF class = 'readings' THEN
        RETURN QUERY SELECT * FROM log.trace_plan(before);
    ELSE
        RETURN QUERY SELECT * FROM log.entry_plan(class, before);
    END IF;
END
$$;

-- Dispose of a month's trace, whole or not at all, and note it with the time that the disposer says;
-- return how much went. Nothing goes if all of it is held or gone. Refuses a decision of nobody, a
-- month that is not over, and another number than may go.
CREATE FUNCTION log.dispose_of_readings(
    month date, readings bigint, decision text, authority text, decided date, at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    after date := month + interval '1 month';
    due bigint;
BEGIN
    PERFORM log.freeze_holds();
    IF (after <= now()) IS NOT TRUE THEN
        RAISE EXCEPTION 'the month of % is not over', month
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    due := coalesce((SELECT p.readings FROM log.trace_plan(after) AS p
                     WHERE p.month = dispose_of_readings.month), 0);
    IF due = 0 THEN
        RETURN 0;
    ELSIF due <> readings THEN
        RAISE EXCEPTION 'of % there are % readings that may go, and not %', month, due, readings
            USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO log.reading_disposal (month, readings, decision, authority, decided, disposed_at)
        VALUES (month, readings, decision, authority, decided, at);
    DELETE FROM log.archive_reading AS a WHERE a.reading IS NULL
        AND a.asked_at >= month::timestamptz AND a.asked_at < after::timestamptz;
    DELETE FROM log.reading AS r
        WHERE r.asked_at >= month::timestamptz AND r.asked_at < after::timestamptz
        AND NOT EXISTS (SELECT FROM log.archive_addition AS a WHERE a.reading = r.number);
    RETURN due;
END
$$;

-- As in 0030, but that a host closes no chain of another's: one that finds a copy of it in its own
-- outbox must not stop the host whose it is.
CREATE OR REPLACE FUNCTION log.close_outbox(outbox uuid, host text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO log.position AS p (outbox_id, host, sequence, chain, is_closed)
        VALUES (outbox, host, 0, sha256('\x02'::bytea || uuid_send(outbox)), true)
    ON CONFLICT (outbox_id) DO UPDATE SET is_closed = true WHERE p.host = excluded.host
$$;

REVOKE ALL ON FUNCTION log.is_trace_disposed(timestamptz), log.is_reading(bigint),
    log.trace_plan(date), log.disposal_plan(text, date),
    log.dispose_of_readings(date, bigint, text, text, date, timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION log.entry_plan(text, date) FROM kommunpost_disposer;
GRANT EXECUTE ON FUNCTION log.disposal_plan(text, date),
    log.dispose_of_readings(date, bigint, text, text, date, timestamptz) TO kommunpost_disposer;
GRANT SELECT ON log.reading_disposal TO kommunpost_disposer, kommunpost_reader;
