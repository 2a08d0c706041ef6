-- What entries of version 4 tell besides: the Message-IDs that a message refers to.
-- Entries of older versions hold null there; compliance/messagelog/entry.py seals them as ever.

ALTER TABLE log.entry
    ADD COLUMN "references" text,
    ADD CONSTRAINT entry_references_of_version CHECK ((version < 4) = ("references" IS NULL));
COMMENT ON COLUMN log.entry."references" IS
    'Message-IDs of References and In-Reply-To, one a line; at most 20.';

CREATE FUNCTION log.refuse_record(sequence bigint, outbox uuid, host text, place log.position)
RETURNS bytea
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'record % of outbox % of host % does not follow record % of host %',
        sequence, outbox, host, place.sequence, place.host USING ERRCODE = 'data_exception';
END
$$;

-- As in 0004, with the field of version 4, and in one pass over the records: they are checked as
-- they are stored. `records` is read once, so that json is cheaper than jsonb.
DROP FUNCTION log.append(uuid, text, jsonb);
CREATE FUNCTION log.append(outbox uuid, host text, records json) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place log.position;
BEGIN
    INSERT INTO log.position AS p
        VALUES (outbox, append.host, 0, sha256('\x02'::bytea || uuid_send(outbox)))
        ON CONFLICT DO NOTHING;
    -- The lock makes two shippers of one outbox take turns; the second finds all stored.
    SELECT p.* INTO STRICT place FROM log.position AS p WHERE p.outbox_id = outbox FOR UPDATE;

    WITH stored AS (
        INSERT INTO log.entry (
            outbox_id, sequence, host, accepted_at, direction, envelope_sender, recipient,
            from_address, from_text, subject, subject_raw, message_id, queue_id, size, sender_unit,
            recipient_unit, label, authenticated_user, client_class, attachments, attachment_names,
            spam_verdict, "references", version, seed, digest, chain)
        SELECT outbox, n.sequence, n.host, n.accepted_at, n.direction, n.envelope_sender,
            n.recipient, n.from_address, n.from_text, n.subject, decode(n.subject_raw, 'hex'),
            n.message_id, n.queue_id, n.size, n.sender_unit, n.recipient_unit, n.label,
            n.authenticated_user, n.client_class, n.attachments, n.attachment_names, n.spam_verdict,
            n."references", n.version,
            CASE n.version WHEN 1 THEN log.new_seed() ELSE decode(n.seed, 'hex') END,
            decode(n.digest, 'hex'),
            -- The sequence is part of the link: a gap breaks it as an altered record does.
            CASE WHEN n.host = append.host AND n.host = place.host AND decode(n.chain, 'hex')
                = sha256('\x01'::bytea
                         || lag(decode(n.chain, 'hex'), 1, place.chain) OVER (ORDER BY n.sequence)
                         || int8send(n.sequence) || decode(n.digest, 'hex'))
            THEN decode(n.chain, 'hex')
            ELSE log.refuse_record(n.sequence, outbox, append.host, place) END
        FROM json_to_recordset(records) AS n (
            sequence bigint, version smallint, seed text, digest text, chain text,
            accepted_at timestamptz, host text, direction text, envelope_sender text,
            recipient text, from_address text, from_text text, subject text, subject_raw text,
            message_id text, queue_id text, size bigint, sender_unit text, recipient_unit text,
            label text, authenticated_user text, client_class text, attachments integer,
            attachment_names text, spam_verdict text, "references" text)
        WHERE n.sequence > place.sequence
        RETURNING entry.sequence, entry.chain
    )
    UPDATE log.position AS p SET sequence = s.sequence, chain = s.chain
    FROM (SELECT * FROM stored ORDER BY stored.sequence DESC LIMIT 1) AS s
    WHERE p.outbox_id = outbox;
    RETURN (SELECT p.sequence FROM log.position AS p WHERE p.outbox_id = outbox);
END
$$;

REVOKE ALL ON FUNCTION log.refuse_record(bigint, uuid, text, log.position),
    log.append(uuid, text, json) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append(uuid, text, json) TO kommunpost_writer;
