-- What lay unread in function mailboxes when the mail store last looked: the log list tells it beside
-- the rest of a unit's figures. Never who has looked into a mailbox.

CREATE TABLE log.mailbox (
    address      text        PRIMARY KEY,
    unit         text        NOT NULL,
    looked_at    timestamptz NOT NULL,
    unread_since timestamptz
);
COMMENT ON COLUMN log.mailbox.unread_since IS
    'When the oldest unread message came. Null: all was read.';

-- Note what was found: an array of mailboxes. It takes the place of all that was noted before.
CREATE FUNCTION log.note_mailboxes(boxes jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    LOCK TABLE log.mailbox IN EXCLUSIVE MODE;  -- of two at once the second waits; readers don't
    DELETE FROM log.mailbox;
    INSERT INTO log.mailbox
    SELECT m.address, m.unit, m.looked_at, m.unread_since
    FROM jsonb_to_recordset(boxes) AS m (
        address text, unit text, looked_at timestamptz, unread_since timestamptz);
END
$$;

-- What is noted of the mailboxes of the reader's units.
CREATE FUNCTION log.mailboxes(token text)
RETURNS TABLE (address text, unit text, looked_at timestamptz, unread_since timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(token);
BEGIN
    RETURN QUERY
    SELECT m.address, m.unit, m.looked_at, m.unread_since FROM log.mailbox AS m
    WHERE who.everything OR m.unit = ANY (who.units)
    ORDER BY m.address;
END
$$;

REVOKE ALL ON FUNCTION log.note_mailboxes(jsonb), log.mailboxes(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.note_mailboxes(jsonb) TO kommunpost_writer;
GRANT EXECUTE ON FUNCTION log.mailboxes(text) TO kommunpost_web, kommunpost_reader;
