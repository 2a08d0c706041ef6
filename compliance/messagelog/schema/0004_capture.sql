-- What entries of version 3 tell besides: attachments, and what the spam filter said.
-- Entries of versions 1 and 2 hold null there; compliance/messagelog/entry.py seals them as ever.

ALTER TABLE log.entry
    ADD COLUMN attachments      integer CHECK (attachments >= 0),
    ADD COLUMN attachment_names text,
    ADD COLUMN spam_verdict     text,
    ADD CONSTRAINT entry_fields_of_version CHECK (
        CASE WHEN version < 3
             THEN attachments IS NULL AND attachment_names IS NULL AND spam_verdict IS NULL
             ELSE attachments IS NOT NULL AND attachment_names IS NOT NULL
        END);
COMMENT ON COLUMN log.entry.attachment_names IS
    'File names of attachments, one a line; at most 100.';

-- As in 0002, with the fields of version 3; records of older versions come without them.
CREATE OR REPLACE FUNCTION log.append(outbox uuid, host text, records jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place log.position;
    broken bigint;
BEGIN
    INSERT INTO log.position AS p
        VALUES (outbox, append.host, 0, sha256('\x02'::bytea || uuid_send(outbox)))
        ON CONFLICT DO NOTHING;
    -- The lock makes two shippers of one outbox take turns; the second finds all stored.
    SELECT p.* INTO STRICT place FROM log.position AS p WHERE p.outbox_id = outbox FOR UPDATE;

    SELECT min(r.sequence) INTO broken FROM (
        -- The sequence is part of the link: a gap breaks it as an altered record does.
        SELECT n.sequence, n.host, n.chain,
               sha256('\x01'::bytea || lag(n.chain, 1, place.chain) OVER in_order
                      || int8send(n.sequence) || n.digest) AS expected_chain
        FROM (
            SELECT j.sequence, j.host, decode(j.chain, 'hex') AS chain,
                   decode(j.digest, 'hex') AS digest
            FROM jsonb_to_recordset(records)
                AS j (sequence bigint, host text, chain text, digest text)
            WHERE j.sequence > place.sequence
        ) AS n WINDOW in_order AS (ORDER BY n.sequence)
    ) AS r
    WHERE (r.chain = r.expected_chain
           AND r.host = append.host AND r.host = place.host) IS NOT TRUE;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'record % of outbox % of host % does not follow record % of host %',
            broken, outbox, append.host, place.sequence, place.host
            USING ERRCODE = 'data_exception';
    END IF;

    INSERT INTO log.entry (
        outbox_id, sequence, host, accepted_at, direction, envelope_sender, recipient,
        from_address, from_text, subject, subject_raw, message_id, queue_id, size, sender_unit,
        recipient_unit, label, authenticated_user, client_class, attachments,
        attachment_names, spam_verdict, version, seed, digest, chain)
    SELECT outbox, n.sequence, n.host, n.accepted_at, n.direction, n.envelope_sender, n.recipient,
        n.from_address, n.from_text, n.subject, decode(n.subject_raw, 'hex'), n.message_id,
        n.queue_id, n.size, n.sender_unit, n.recipient_unit, n.label, n.authenticated_user,
        n.client_class, n.attachments,
        n.attachment_names, n.spam_verdict, n.version,
        CASE n.version WHEN 1 THEN log.new_seed() ELSE decode(n.seed, 'hex') END,
        decode(n.digest, 'hex'), decode(n.chain, 'hex')
    FROM jsonb_to_recordset(records) AS n (
        sequence bigint, version smallint, seed text, digest text, chain text, accepted_at timestamptz,
        host text, direction text, envelope_sender text, recipient text, from_address text,
        from_text text, subject text, subject_raw text, message_id text, queue_id text,
        size bigint, sender_unit text, recipient_unit text, label text, authenticated_user text,
        client_class text, attachments integer, attachment_names text, spam_verdict text)
    WHERE n.sequence > place.sequence;

    UPDATE log.position AS p SET sequence = n.sequence, chain = decode(n.chain, 'hex')
    FROM (
        SELECT j.sequence, j.chain
        FROM jsonb_to_recordset(records) AS j (sequence bigint, chain text)
        ORDER BY j.sequence DESC LIMIT 1
    ) AS n
    WHERE p.outbox_id = outbox AND n.sequence > p.sequence;
    RETURN (SELECT p.sequence FROM log.position AS p WHERE p.outbox_id = outbox);
END
$$;
