-- The message log. Applied by `kommunpost log migrate` as the owner, in one transaction.
-- Expects the roles kommunpost_writer and kommunpost_reader (role message_log_store).

-- Partitions take their bounds from UTC, wherever the server stands.
SET LOCAL TIME ZONE 'UTC';

CREATE TABLE log.entry (
    outbox_id          uuid        NOT NULL,
    sequence           bigint      NOT NULL CHECK (sequence > 0),
    host               text        NOT NULL,
    accepted_at        timestamptz NOT NULL,
    direction          text        NOT NULL CHECK (direction IN ('in', 'out', 'internal')),
    envelope_sender    text        NOT NULL,
    recipient          text        NOT NULL,
    from_address       text        NOT NULL,
    from_text          text        NOT NULL,
    subject            text        NOT NULL,
    subject_raw        bytea       NOT NULL,
    message_id         text        NOT NULL,
    queue_id           text        NOT NULL,
    size               bigint      NOT NULL CHECK (size >= 0),
    sender_unit        text,
    recipient_unit     text,
    label              text,
    authenticated_user text,
    client_class       text        NOT NULL
                       CHECK (client_class IN ('local', 'loopback', 'private', 'public')),
    version            smallint    NOT NULL,
    digest             bytea       NOT NULL CHECK (length(digest) = 32),
    chain              bytea       NOT NULL CHECK (length(chain) = 32),
    stored_at          timestamptz NOT NULL DEFAULT now(),
    -- accepted_at is here since a partitioned table demands it; log.append holds the rest.
    PRIMARY KEY (outbox_id, sequence, accepted_at)
) PARTITION BY RANGE (accepted_at);

COMMENT ON TABLE log.entry IS
    'One row per message that Postfix accepted and envelope recipient. Never updated or deleted.';

CREATE INDEX entry_time ON log.entry (accepted_at);
CREATE INDEX entry_recipient ON log.entry (lower(recipient), accepted_at);
CREATE INDEX entry_envelope_sender ON log.entry (lower(envelope_sender), accepted_at);
CREATE INDEX entry_recipient_unit ON log.entry (recipient_unit, accepted_at);
CREATE INDEX entry_sender_unit ON log.entry (sender_unit, accepted_at);
CREATE INDEX entry_queue_id ON log.entry (queue_id);

-- How far each outbox has come. One per mail host and installation of it.
CREATE TABLE log.position (
    outbox_id uuid   PRIMARY KEY,
    host      text   NOT NULL,
    sequence  bigint NOT NULL,
    chain     bytea  NOT NULL
);

CREATE FUNCTION log.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the message log is never changed: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER entry_unchanged BEFORE UPDATE OR DELETE ON log.entry
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER entry_not_emptied BEFORE TRUNCATE ON log.entry
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Rows whose time no month covers (a host whose clock is years off) are kept here.
CREATE TABLE log.entry_other PARTITION OF log.entry DEFAULT;
CREATE TRIGGER entry_not_emptied BEFORE TRUNCATE ON log.entry_other
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Make the months from `first` to `last` that are missing; return the names of those made. A month
-- that entry_other already holds rows of is passed over: they stay where they are.
CREATE FUNCTION log.make_months(first date, last date) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz := date_trunc('month', first::timestamptz);
    name text;
BEGIN
    WHILE month <= last::timestamptz LOOP
        name := 'entry_' || to_char(month, 'YYYY_MM');
        IF to_regclass('log.' || name) IS NULL AND NOT EXISTS (
            SELECT FROM log.entry_other
            WHERE accepted_at >= month AND accepted_at < month + interval '1 month'
        ) THEN
            EXECUTE format(
                'CREATE TABLE log.%I PARTITION OF log.entry FOR VALUES FROM (%L) TO (%L)',
                name, month, month + interval '1 month');
            EXECUTE format(
                'CREATE TRIGGER entry_not_emptied BEFORE TRUNCATE ON log.%I
                 FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change()', name);
            RETURN NEXT name;
        END IF;
        month := month + interval '1 month';
    END LOOP;
END
$$;

-- Where the shipper of an outbox must go on: the last sequence stored, 0 if none.
CREATE FUNCTION log.position_of(outbox uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT sequence FROM log.position WHERE outbox_id = outbox), 0)
$$;

-- Store consecutive records of one outbox, exactly once. `records` is a JSON array of what
-- compliance/messagelog/entry.py calls to_json. Records that are stored already are passed over;
-- a gap, or a link that doesn't hold, stores nothing and is an error. Returns the last sequence.
CREATE FUNCTION log.append(outbox uuid, host text, records jsonb) RETURNS bigint
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
        recipient_unit, label, authenticated_user, client_class, version, digest, chain)
    SELECT outbox, n.sequence, n.host, n.accepted_at, n.direction, n.envelope_sender, n.recipient,
        n.from_address, n.from_text, n.subject, decode(n.subject_raw, 'hex'), n.message_id,
        n.queue_id, n.size, n.sender_unit, n.recipient_unit, n.label, n.authenticated_user,
        n.client_class, n.version, decode(n.digest, 'hex'), decode(n.chain, 'hex')
    FROM jsonb_to_recordset(records) AS n (
        sequence bigint, version smallint, digest text, chain text, accepted_at timestamptz,
        host text, direction text, envelope_sender text, recipient text, from_address text,
        from_text text, subject text, subject_raw text, message_id text, queue_id text,
        size bigint, sender_unit text, recipient_unit text, label text, authenticated_user text,
        client_class text)
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

-- The mail host's role may append and nothing else; it can't even read what it wrote.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA log FROM PUBLIC;
GRANT USAGE ON SCHEMA log TO kommunpost_writer, kommunpost_reader;
GRANT EXECUTE ON FUNCTION log.append(uuid, text, jsonb), log.position_of(uuid) TO kommunpost_writer;
GRANT SELECT ON log.entry, log.position TO kommunpost_reader;
