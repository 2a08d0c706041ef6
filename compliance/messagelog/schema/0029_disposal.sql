-- Disposal sees every hold, and leaves nothing of a month behind that names anybody.

-- Let no hold begin or grow until this transaction ends, and wait for those that just do. What is
-- read afterwards, by READ COMMITTED, knows every hold.
CREATE FUNCTION log.freeze_holds() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('log.hold', 0))
$$;

-- A hold waits for a disposal that has begun, and then says what of its time is gone.
CREATE FUNCTION log.await_disposal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    last bigint := (SELECT coalesce(max(s.number), 0) FROM log.statement AS s);
    gone text;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('log.hold', 0));
    SELECT string_agg(format('%s entries of %s under %s', t.says ->> 'entries',
                             to_char(t.month, 'YYYY-MM'), t.says ->> 'decision'), ', '
                      ORDER BY t.number)
    INTO gone
    FROM (
        SELECT s.number, s.text::jsonb AS says, (s.text::jsonb ->> 'month')::timestamptz AS month
        FROM log.statement AS s WHERE s.number > last AND s.day IS NULL
    ) AS t
    WHERE NEW.accepted_from < t.month + interval '1 month' AND NEW.accepted_before > t.month;
    IF gone IS NOT NULL THEN
        RAISE WARNING 'while the hold "%" waited, this was disposed of: %', NEW.why, gone;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER hold_begins BEFORE INSERT ON log.hold
    FOR EACH ROW EXECUTE FUNCTION log.await_disposal();
-- One that ends or shrinks needn't wait.
CREATE TRIGGER hold_grows BEFORE UPDATE ON log.hold FOR EACH ROW
    WHEN (NEW.accepted_from < OLD.accepted_from OR NEW.accepted_before > OLD.accepted_before
          OR NEW.unit IS DISTINCT FROM OLD.unit
          OR coalesce(NEW.until, 'infinity') > coalesce(OLD.until, 'infinity'))
    EXECUTE FUNCTION log.await_disposal();

-- Delete what the mail hosts told before a time of mail that has no entry: nobody else would. Its
-- unit is not known: a hold on any unit stops it. By index: few are left when the entries are gone.
CREATE FUNCTION log.dispose_of_unlogged(before timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    held tstzmultirange := (
        SELECT coalesce(range_agg(tstzrange(h.accepted_from, h.accepted_before)), '{}')
        FROM log.hold AS h
        WHERE (h.until IS NULL OR h.until > now()) AND h.accepted_from < h.accepted_before);
BEGIN
    DELETE FROM log.delivery AS d WHERE d.at < before AND NOT held @> d.at AND NOT EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = d.queue_id AND e.host = d.host);
    DELETE FROM log.accepted AS a WHERE a.at < before AND NOT held @> a.at AND NOT EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = a.queue_id AND e.host = a.host);
    DELETE FROM log.stored AS s WHERE s.at < before AND NOT held @> s.at AND NOT EXISTS (
        SELECT FROM log.delivery AS d WHERE d.session = s.session);
END
$$;

-- Drop the months before a time that are empty: that gives their disk back at once, and no index
-- walks over them any more. While somebody reads they stay, and go with the next month: a lock that
-- waits would stop all who append.
CREATE FUNCTION log.drop_empty_months(before date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '500ms' AS $$
DECLARE
    name text;
    is_empty boolean;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'log.entry'::regclass AND c.relname ~ '^entry_\d{4}_\d\d$'
          AND to_date(c.relname, '"entry_"YYYY_MM') < before
        ORDER BY 1
    LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM log.%I)', name) INTO is_empty;
        CONTINUE WHEN NOT is_empty;
        BEGIN
            LOCK TABLE ONLY log.entry IN ACCESS EXCLUSIVE MODE;
            EXECUTE format('LOCK TABLE log.%I IN ACCESS EXCLUSIVE MODE', name);
            -- What came late may have come just before the lock.
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM log.%I)', name) INTO is_empty;
            IF is_empty THEN
                EXECUTE format('DROP TABLE log.%I', name);
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            RETURN;
        END;
    END LOOP;
END
$$;

-- As in 0008, but that it sees the holds of now, refuses a decision of nobody, deletes what was told
-- of mail without an entry, and doesn't wait for whoever reads an empty month.
CREATE OR REPLACE FUNCTION log.dispose(text text, signature bytea) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    says jsonb := text::jsonb;
    month date := (says ->> 'month')::date;
    made bigint := (says ->> 'number')::bigint;
    went bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a disposal must see the holds as they are now: use READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM log.freeze_holds();
    IF (says ->> 'kind' = 'disposal' AND btrim(says ->> 'decision') <> ''
        AND btrim(says ->> 'authority') <> ''
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
    IF says ->> 'class' = 'message-log' THEN
        PERFORM log.dispose_of_unlogged(month::timestamptz + interval '1 month');
    END IF;
    PERFORM log.drop_empty_months((month + interval '1 month')::date);
    RETURN went;
END
$$;

-- As in 0008, but of two days: what is accepted just after midnight may lie in the folder of the day
-- before (folders_for in compliance/messagelog/archive.py).
CREATE OR REPLACE FUNCTION log.is_archive_held(day date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (
        SELECT FROM log.hold AS h
        WHERE (h.until IS NULL OR h.until > now())
          AND h.accepted_from < (day + 2)::timestamptz AND h.accepted_before > day::timestamptz)
$$;

-- As in 0008, but that a hold which is just being made is seen.
CREATE OR REPLACE FUNCTION log.dispose_of_archive(
    day date, messages bigint, decision text, authority text, decided date
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM log.freeze_holds();
    IF log.is_archive_held(day) THEN
        RAISE EXCEPTION 'the archive of % is held', day USING ERRCODE = 'object_in_use';
    END IF;
    INSERT INTO log.archive_disposal (day, messages, decision, authority, decided)
        VALUES (day, messages, decision, authority, decided) ON CONFLICT DO NOTHING;
END
$$;

-- As in 0008, but that a reason has words.
CREATE OR REPLACE FUNCTION log.ask_archive(reader text, why text, outbox uuid, place bigint)
RETURNS TABLE (host text, queue_id text, accepted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (btrim(why, E' \t\r\n') <> '') IS NOT TRUE THEN
        RAISE EXCEPTION 'the reason says nothing' USING ERRCODE = 'check_violation';
    END IF;
    RETURN QUERY SELECT e.host, e.queue_id, e.accepted_at FROM log.entry AS e
        WHERE e.outbox_id = outbox AND e.sequence = place;
    IF FOUND THEN
        INSERT INTO log.archive_reading (reader, why, outbox_id, sequence)
            VALUES (ask_archive.reader, ask_archive.why, outbox, place);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION log.freeze_holds(), log.await_disposal(),
    log.dispose_of_unlogged(timestamptz), log.drop_empty_months(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.freeze_holds() TO kommunpost_disposer;
