-- A message in somebody's own mailbox, opened in the log list in its holder's absence.

ALTER TABLE log.archive_reading ADD COLUMN mailbox text;
COMMENT ON COLUMN log.archive_reading.mailbox IS
    'The address whose own mailbox it is read from; null: read from the archive.';

-- Note that a reader opens the message of one of a unit's entries in the mailbox of its recipient;
-- return the number by which it is then handed out. what: what of it they ask for. about: who has
-- agreed to it, and why. That they may is for the caller to know.
CREATE FUNCTION log.ask_mailbox(
    token text, unit text, outbox uuid, place bigint, what text, about jsonb
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
    address text;
    asked bigint;
    made bigint;
BEGIN
    SELECT e.recipient INTO address FROM log.entry AS e
    WHERE e.outbox_id = outbox AND e.sequence = place AND e.recipient_unit = ask_mailbox.unit;
    IF NOT FOUND OR NOT (who.everything OR ask_mailbox.unit = ANY (who.units)) THEN
        RAISE EXCEPTION 'this is not for % to read', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    VALUES (who.token_hash, who.reader, who.name, 'message', ask_mailbox.unit, about
        || jsonb_build_object('unit', ask_mailbox.unit, 'outbox', outbox, 'sequence', place,
            'what', what))
    RETURNING number INTO asked;
    INSERT INTO log.archive_reading (reader, why, outbox_id, sequence, reading, mailbox)
    VALUES (who.reader, 'log list: ' || what || ', in the holder''s absence', outbox, place, asked,
        address)
    RETURNING number INTO made;
    RETURN made;
END
$$;

-- As in 0016, and in whose own mailbox it lies instead of the archive.
DROP FUNCTION log.message_place(bigint);
CREATE FUNCTION log.message_place(asked bigint)
RETURNS TABLE (
    host text, queue_id text, accepted_at timestamptz, disposed_by text, mailbox text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.host, e.queue_id, e.accepted_at, d.decision, r.mailbox
    FROM log.archive_reading AS r
    JOIN log.entry AS e ON e.outbox_id = r.outbox_id AND e.sequence = r.sequence
    LEFT JOIN log.archive_disposal AS d ON d.day = (e.accepted_at AT TIME ZONE 'UTC')::date
    WHERE r.number = asked AND r.reading IS NOT NULL
      AND r.asked_at > clock_timestamp() - interval '1 minute'
$$;

REVOKE ALL ON FUNCTION log.ask_mailbox(text, text, uuid, bigint, text, jsonb),
    log.message_place(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.message_place(bigint) TO kommunpost_web;
