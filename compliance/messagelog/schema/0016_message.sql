-- The message of an entry, opened in the log list by whoever reviews its unit.

ALTER TABLE log.reading DROP CONSTRAINT reading_action_check;
ALTER TABLE log.reading ADD CONSTRAINT reading_action_check
    CHECK (action IN ('list', 'entry', 'export', 'count', 'audit', 'message'));
ALTER TABLE log.archive_reading ADD COLUMN reading bigint REFERENCES log.reading;
COMMENT ON COLUMN log.archive_reading.reading IS
    'Of the log list: by whom, by name, and for which unit. Null: asked for on the command line.';

-- Note that a reader opens the message of one of a unit's entries; return the number by which the
-- archive then hands it out. what: what of it they ask for. That they review the unit is for the
-- caller to know.
CREATE FUNCTION log.ask_message(token text, unit text, outbox uuid, place bigint, what text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    asked bigint;
    made bigint;
BEGIN
    PERFORM FROM log.entry AS e
    WHERE e.outbox_id = outbox AND e.sequence = place
      AND (e.recipient_unit = ask_message.unit OR e.sender_unit = ask_message.unit);
    IF NOT FOUND OR NOT (who.everything OR ask_message.unit = ANY (who.units)) THEN
        RAISE EXCEPTION 'this is not for % to read', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    VALUES (who.token_hash, who.reader, who.name, 'message', ask_message.unit, jsonb_build_object(
        'unit', ask_message.unit, 'outbox', outbox, 'sequence', place, 'what', what))
    RETURNING number INTO asked;
    INSERT INTO log.archive_reading (reader, why, outbox_id, sequence, reading)
    VALUES (who.reader, 'log list: ' || what, outbox, place, asked)
    RETURNING number INTO made;
    RETURN made;
END
$$;

-- Where the archive finds the message that a reader of the log list asked for within the last
-- minute, and the decision under which its day was disposed of. No row if nobody asked.
CREATE FUNCTION log.message_place(asked bigint)
RETURNS TABLE (host text, queue_id text, accepted_at timestamptz, disposed_by text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.host, e.queue_id, e.accepted_at, d.decision
    FROM log.archive_reading AS r
    JOIN log.entry AS e ON e.outbox_id = r.outbox_id AND e.sequence = r.sequence
    LEFT JOIN log.archive_disposal AS d ON d.day = (e.accepted_at AT TIME ZONE 'UTC')::date
    WHERE r.number = asked AND r.reading IS NOT NULL
      AND r.asked_at > clock_timestamp() - interval '1 minute'
$$;

REVOKE ALL ON FUNCTION log.ask_message(text, text, uuid, bigint, text), log.message_place(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.message_place(bigint) TO kommunpost_web;
