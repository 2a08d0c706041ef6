-- A host that dies takes the last lines with it that journald had not read or written yet. So Dovecot
-- may have said that it stored a message, and Postfix's line that ties it to its queue id is gone.
-- Then the message's own Message-ID tells whether it was logged.

ALTER TABLE log.stored ADD COLUMN message_id text;
COMMENT ON COLUMN log.stored.message_id IS 'As Dovecot names the message; null if it has none.';

-- The last line of a mail host's journal before the journal goes on under another boot.
CREATE TABLE log.boot (
    host     text        NOT NULL,
    ended_at timestamptz NOT NULL,
    PRIMARY KEY (host, ended_at)
);

-- As in 0007, with Message-IDs and boots.
CREATE OR REPLACE FUNCTION log.follow(
    of_host text, after text, "cursor" text, began timestamptz, until timestamptz, memory jsonb,
    events jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place log.journal;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('log.follow ' || of_host, 0));
    SELECT j.* INTO place FROM log.journal AS j
        WHERE j.host = of_host ORDER BY j.number DESC LIMIT 1;
    IF place.cursor IS DISTINCT FROM after OR (after IS NULL AND began IS NULL) THEN
        RAISE EXCEPTION 'the journal of host % was read up to another place', of_host
            USING ERRCODE = 'data_exception';
    END IF;
    IF began IS NULL THEN
        UPDATE log.journal AS j
        SET cursor = follow.cursor, until = greatest(j.until, follow.until), memory = follow.memory
        WHERE j.number = place.number;
    ELSE
        INSERT INTO log.journal (host, since, until, cursor, memory)
            VALUES (of_host, began, greatest(began, follow.until), follow.cursor, follow.memory);
    END IF;

    INSERT INTO log.requeued AS r (host, queue_id, original)
    SELECT of_host, n.queue_id, coalesce(first.original, n.original)
    FROM jsonb_to_recordset(events -> 'requeued') AS n (queue_id text, original text)
    LEFT JOIN log.requeued AS first ON first.host = of_host AND first.queue_id = n.original
    ON CONFLICT DO NOTHING;

    INSERT INTO log.accepted (host, queue_id, at, recipients)
    SELECT of_host, coalesce(r.original, n.queue_id), n.at, n.recipients
    FROM jsonb_to_recordset(events -> 'accepted')
        AS n (queue_id text, at timestamptz, recipients integer)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    ON CONFLICT DO NOTHING;

    INSERT INTO log.withdrawn (host, queue_id, kind)
    SELECT of_host, n.queue_id, n.kind
    FROM jsonb_to_recordset(events -> 'withdrawn') AS n (queue_id text, kind text)
    ON CONFLICT DO NOTHING;

    INSERT INTO log.delivery (host, queue_id, at, recipient, orig_to, status, dsn, relay, reply,
                              delay, tls, session, recipient_unit)
    SELECT of_host, coalesce(r.original, n.queue_id), n.at, n.recipient, n.orig_to, n.status, n.dsn,
           n.relay, n.reply, n.delay, n.tls, n.session, n.recipient_unit
    FROM jsonb_to_recordset(events -> 'deliveries') AS n (
        queue_id text, at timestamptz, recipient text, orig_to text, status text, dsn text,
        relay text, reply text, delay real, tls text, session text, recipient_unit text)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    WHERE n.recipient IS NOT NULL;

    -- Postfix says only of the message that its time is up: that goes for all who still wait.
    INSERT INTO log.delivery (host, queue_id, at, recipient, orig_to, status, dsn, relay, reply,
                              recipient_unit)
    SELECT of_host, o.queue_id, n.at, o.recipient, o.orig_to, 'expired', o.dsn, o.relay, o.reply,
           o.recipient_unit
    FROM jsonb_to_recordset(events -> 'deliveries')
        AS n (queue_id text, at timestamptz, recipient text)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    JOIN log.outcome AS o ON o.host = of_host AND o.queue_id = coalesce(r.original, n.queue_id)
    WHERE n.recipient IS NULL AND o.status = 'deferred';

    INSERT INTO log.stored (session, host, at, recipient, message_id)
    SELECT n.session, of_host, n.at, n.recipient, n.message_id
    FROM jsonb_to_recordset(events -> 'stored')
        AS n (session text, at timestamptz, recipient text, message_id text)
    ON CONFLICT DO NOTHING;

    INSERT INTO log.boot (host, ended_at)
    SELECT of_host, n.ended_at FROM jsonb_to_recordset(events -> 'boots') AS n (ended_at timestamptz)
    ON CONFLICT DO NOTHING;

    INSERT INTO log.refused AS r (host, day, reason, count)
    SELECT of_host, n.day, n.reason, count(*)
    FROM jsonb_to_recordset(events -> 'refused') AS n (day date, reason text)
    GROUP BY n.day, n.reason
    ON CONFLICT (host, day, reason) DO UPDATE SET count = r.count + excluded.count;
END
$$;

-- Whether Postfix's words of a message that Dovecot stored may have died with a host, and the log has
-- the message: it was stored within a minute of some host's end, and an entry has its Message-ID.
-- Anybody can write an id that the log has into a letter of their own: so only then does it count.
CREATE FUNCTION log.is_known_by_its_id(of_session text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM log.stored AS s
        JOIN log.boot AS b
          ON b.ended_at BETWEEN s.at - interval '1 minute' AND s.at + interval '1 minute'
        JOIN log.entry AS e
          ON log.ids_of(e.message_id, e."references") COLLATE "C" @> ARRAY[s.message_id]
             AND e.message_id = s.message_id
        WHERE s.session = of_session
    )
$$;

ALTER FUNCTION log.differences(timestamptz, timestamptz) RENAME TO differences_by_queue_id;
REVOKE EXECUTE ON FUNCTION log.differences_by_queue_id(timestamptz, timestamptz)
    FROM kommunpost_reader;
COMMENT ON FUNCTION log.differences_by_queue_id(timestamptz, timestamptz) IS
    'What log.differences tells, before it asks who died.';

-- Where the log and the records of Postfix and Dovecot do not agree. Columns and kinds: see 0007.
CREATE FUNCTION log.differences(start timestamptz, stop timestamptz) RETURNS TABLE (
    kind text, host text, queue_id text, session text, at timestamptz, recipients text[],
    certain boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.* FROM log.differences_by_queue_id(start, stop) AS d
    WHERE d.kind <> 'unseen' OR d.queue_id IS NOT NULL OR NOT log.is_known_by_its_id(d.session)
$$;

REVOKE ALL ON FUNCTION log.is_known_by_its_id(text), log.differences(timestamptz, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.differences(timestamptz, timestamptz) TO kommunpost_reader;
GRANT SELECT ON log.boot TO kommunpost_reader;
