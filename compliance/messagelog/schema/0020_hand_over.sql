-- Messages of somebody's own mailbox that its holder hands over to the archive.

-- Who handed over which message. Written and committed before their mailbox is opened.
CREATE TABLE log.archive_addition (
    number    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    reader    text        NOT NULL CHECK (reader <> ''),
    outbox_id uuid        NOT NULL,
    sequence  bigint      NOT NULL,
    reading   bigint      NOT NULL REFERENCES log.reading
);
CREATE TRIGGER archive_addition_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE
    ON log.archive_addition FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Note that a reader hands over the message of one of a unit's entries; return the number by which
-- the archive then fetches it. That it is theirs to hand over is for the caller to know; that it
-- lies in their own mailbox is for the archive's host.
CREATE FUNCTION log.ask_addition(token text, unit text, outbox uuid, place bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    asked bigint;
    made bigint;
BEGIN
    PERFORM FROM log.entry AS e
    WHERE e.outbox_id = outbox AND e.sequence = place AND e.recipient_unit = ask_addition.unit;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this is not for % to hand over', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    VALUES (who.token_hash, who.reader, who.name, 'message', ask_addition.unit,
        jsonb_build_object('unit', ask_addition.unit, 'outbox', outbox, 'sequence', place,
            'what', 'handed-over'))
    RETURNING number INTO asked;
    INSERT INTO log.archive_addition (reader, outbox_id, sequence, reading)
    VALUES (who.reader, outbox, place, asked)
    RETURNING number INTO made;
    RETURN made;
END
$$;

-- What was handed over by a number within the last minute, and by whom. No row if nobody did.
CREATE FUNCTION log.addition_place(asked bigint)
RETURNS TABLE (
    host text, queue_id text, accepted_at timestamptz, disposed_by text, reader text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.host, e.queue_id, e.accepted_at, d.decision, a.reader
    FROM log.archive_addition AS a
    JOIN log.entry AS e ON e.outbox_id = a.outbox_id AND e.sequence = a.sequence
    LEFT JOIN log.archive_disposal AS d ON d.day = (e.accepted_at AT TIME ZONE 'UTC')::date
    WHERE a.number = asked AND a.asked_at > clock_timestamp() - interval '1 minute'
$$;

REVOKE ALL ON FUNCTION log.ask_addition(text, text, uuid, bigint), log.addition_place(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.addition_place(bigint) TO kommunpost_web;
GRANT SELECT ON log.archive_addition TO kommunpost_reader;
