-- A chain that broke on its mail host (records lost or damaged there, an outbox restored from a
-- backup) is closed, and what is sound behind the break comes as a chain of its own.

ALTER TABLE log.position ADD COLUMN is_closed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN log.position.is_closed IS
    'The chain broke on its host: nothing more comes of it, and what comes is refused.';

CREATE FUNCTION log.refuse_closed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'outbox % of host % is closed at record %', OLD.outbox_id, OLD.host, OLD.sequence
        USING ERRCODE = 'data_exception';
END
$$;

CREATE TRIGGER position_closed BEFORE UPDATE OF sequence, chain ON log.position
    FOR EACH ROW WHEN (OLD.is_closed AND NEW.sequence <> OLD.sequence)
    EXECUTE FUNCTION log.refuse_closed();

-- How far an outbox was shipped, with the chain value there; no row if nothing was.
CREATE FUNCTION log.place_of(outbox uuid)
RETURNS TABLE (sequence bigint, chain bytea, host text, is_closed boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.sequence, p.chain, p.host, p.is_closed FROM log.position AS p
    WHERE p.outbox_id = outbox
$$;

-- Take no more of an outbox. host: of a mail host, for an outbox that was never heard of.
CREATE FUNCTION log.close_outbox(outbox uuid, host text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO log.position AS p (outbox_id, host, sequence, chain, is_closed)
        VALUES (outbox, host, 0, sha256('\x02'::bytea || uuid_send(outbox)), true)
    ON CONFLICT (outbox_id) DO UPDATE SET is_closed = true
$$;

-- Of records that are to be shipped, which are not stored yet, in whatever outbox: their places in
-- the arrays, from 1. An entry is known by its digest, which a seed of its own went into.
CREATE FUNCTION log.lacking(queue_ids text[], digests text[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.place
    FROM unnest(queue_ids, digests) WITH ORDINALITY AS n (queue_id, digest, place)
    WHERE NOT EXISTS (SELECT FROM log.entry AS e
                      WHERE e.queue_id = n.queue_id AND e.digest = decode(n.digest, 'hex'))
    ORDER BY n.place
$$;

REVOKE ALL ON FUNCTION log.refuse_closed(), log.place_of(uuid), log.close_outbox(uuid, text),
    log.lacking(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.place_of(uuid), log.close_outbox(uuid, text),
    log.lacking(text[], text[]) TO kommunpost_writer;
