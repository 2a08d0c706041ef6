-- The seal: seeds, signed statements, the leaves below their roots, and tombstones.
-- What they mean: docs/seal-format.md. Expects the role kommunpost_sealer besides those of 0001.

CREATE FUNCTION log.new_seed() RETURNS bytea
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
$$;

-- Rows of version 1 were made without a seed. They get one here, for the salts of their cells; their
-- digest doesn't know it.
ALTER TABLE log.entry ADD COLUMN seed bytea NOT NULL DEFAULT log.new_seed()
    CHECK (length(seed) = 32);
ALTER TABLE log.entry ALTER COLUMN seed DROP DEFAULT;

-- As in 0001, with the seed.
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
        recipient_unit, label, authenticated_user, client_class, version, seed, digest, chain)
    SELECT outbox, n.sequence, n.host, n.accepted_at, n.direction, n.envelope_sender, n.recipient,
        n.from_address, n.from_text, n.subject, decode(n.subject_raw, 'hex'), n.message_id,
        n.queue_id, n.size, n.sender_unit, n.recipient_unit, n.label, n.authenticated_user,
        n.client_class, n.version,
        CASE n.version WHEN 1 THEN log.new_seed() ELSE decode(n.seed, 'hex') END,
        decode(n.digest, 'hex'), decode(n.chain, 'hex')
    FROM jsonb_to_recordset(records) AS n (
        sequence bigint, version smallint, seed text, digest text, chain text, accepted_at timestamptz,
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

-- Everything that was signed, in order: a day's roots, or a lawful disposal.
CREATE TABLE log.statement (
    number    bigint PRIMARY KEY CHECK (number > 0),
    day       date,
    text      text   NOT NULL,
    signature bytea  NOT NULL CHECK (length(signature) = 64)
);
COMMENT ON COLUMN log.statement.text IS 'The very text that was signed.';
COMMENT ON COLUMN log.statement.day IS 'The day that it closes; null for a disposal.';
CREATE INDEX statement_day ON log.statement (day);

-- The leaves that a statement added to the tree of a unit and day: those of one outbox, by
-- sequence. In a tree, leaves stand by statement and then by outbox_id.
CREATE TABLE log.leaves (
    statement bigint   NOT NULL REFERENCES log.statement,
    day       date     NOT NULL,
    unit      text,
    outbox_id uuid     NOT NULL,
    sequences bigint[] NOT NULL CHECK (cardinality(sequences) > 0),
    hashes    bytea    NOT NULL CHECK (length(hashes) = 32 * cardinality(sequences)),
    UNIQUE NULLS NOT DISTINCT (day, unit, statement, outbox_id)
);

-- What stays of an entry that was disposed of: enough for the chain, and who decided.
CREATE TABLE log.tombstone (
    outbox_id uuid   NOT NULL,
    sequence  bigint NOT NULL,
    digest    bytea  NOT NULL CHECK (length(digest) = 32),
    chain     bytea  NOT NULL CHECK (length(chain) = 32),
    statement bigint NOT NULL REFERENCES log.statement,
    PRIMARY KEY (outbox_id, sequence)
);
CREATE INDEX tombstone_statement ON log.tombstone (statement);

CREATE TRIGGER statement_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.statement
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER leaves_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.leaves
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER tombstone_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.tombstone
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- An entry goes only when its tombstone stands.
CREATE FUNCTION log.refuse_without_tombstone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM log.tombstone AS t
        WHERE t.outbox_id = OLD.outbox_id AND t.sequence = OLD.sequence
          AND t.digest = OLD.digest AND t.chain = OLD.chain
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the message log is never changed: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TRIGGER entry_unchanged ON log.entry;
CREATE TRIGGER entry_unchanged BEFORE UPDATE ON log.entry
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER entry_disposed_lawfully BEFORE DELETE ON log.entry
    FOR EACH ROW EXECUTE FUNCTION log.refuse_without_tombstone();

REVOKE ALL ON FUNCTION log.new_seed(), log.refuse_without_tombstone() FROM PUBLIC;
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO kommunpost_sealer', current_database());
END $$;
GRANT USAGE ON SCHEMA log TO kommunpost_sealer;
GRANT SELECT ON log.statement, log.leaves, log.tombstone TO kommunpost_reader;
GRANT SELECT, INSERT ON log.statement, log.leaves, log.tombstone TO kommunpost_sealer;
GRANT SELECT ON log.entry, log.position TO kommunpost_sealer;
GRANT DELETE ON log.entry TO kommunpost_sealer;
