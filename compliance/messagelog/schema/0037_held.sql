-- Mail that is held in the queue, by a rule of Postfix or an administrator, waits for as long as nobody
-- lets it go: Postfix tries it not, and gives it up never.

-- Each time that a message was put on hold or released. Who it was to is not here: it stays when the
-- entries are disposed of.
CREATE TABLE log.held (
    host     text        NOT NULL,
    queue_id text        NOT NULL,
    at       timestamptz NOT NULL,
    is_held  boolean     NOT NULL,
    PRIMARY KEY (host, queue_id, at)
);
COMMENT ON COLUMN log.held.queue_id IS 'The first one of a message that was requeued.';
COMMENT ON COLUMN log.held.is_held IS 'False: it was released then.';
CREATE TRIGGER held_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.held
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
GRANT SELECT ON log.held TO kommunpost_reader;

-- As in 0034, with what is held.
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
        SET cursor = follow.cursor, until = follow.until, memory = follow.memory
        WHERE j.number = place.number;
    ELSE
        INSERT INTO log.journal (host, since, until, cursor, memory)
            VALUES (of_host, began, greatest(began, follow.until), follow.cursor, follow.memory);
    END IF;

    INSERT INTO log.requeued AS r (host, queue_id, original, at)
    SELECT of_host, n.queue_id, coalesce(first.original, n.original), n.at
    FROM jsonb_to_recordset(events -> 'requeued')
        AS n (queue_id text, original text, at timestamptz)
    LEFT JOIN log.requeued AS first ON first.host = of_host AND first.queue_id = n.original
    ON CONFLICT DO NOTHING;

    INSERT INTO log.accepted (host, queue_id, at, recipients)
    SELECT of_host, coalesce(r.original, n.queue_id), n.at, n.recipients
    FROM jsonb_to_recordset(events -> 'accepted')
        AS n (queue_id text, at timestamptz, recipients integer)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    ON CONFLICT DO NOTHING;

    INSERT INTO log.withdrawn (host, queue_id, kind)
    SELECT of_host, coalesce(r.original, n.queue_id), n.kind
    FROM jsonb_to_recordset(events -> 'withdrawn') AS n (queue_id text, kind text)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    ON CONFLICT DO NOTHING;

    INSERT INTO log.withdrawn (host, queue_id, kind)
    SELECT of_host, coalesce(r.original, n.queue_id), 'probe'
    FROM jsonb_to_recordset(events -> 'probes') AS n (queue_id text)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    ON CONFLICT DO NOTHING;

    INSERT INTO log.removed (host, queue_id, at)
    SELECT of_host, coalesce(r.original, n.queue_id), n.at
    FROM jsonb_to_recordset(events -> 'removed') AS n (queue_id text, at timestamptz)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
    ON CONFLICT DO NOTHING;

    INSERT INTO log.held (host, queue_id, at, is_held)
    SELECT of_host, coalesce(r.original, n.queue_id), n.at, n.is_held
    FROM jsonb_to_recordset(events -> 'held') AS n (queue_id text, at timestamptz, is_held boolean)
    LEFT JOIN log.requeued AS r ON r.host = of_host AND r.queue_id = n.queue_id
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

    -- A reason holds words of Postfix's, of milters' and of block lists': so many a day and no more.
    INSERT INTO log.refused AS r (host, day, reason, count)
    SELECT of_host, n.day, n.reason, sum(n.count)
    FROM (
        SELECT m.day, m.count, CASE
            WHEN k.reason IS NOT NULL OR (
                SELECT count(*) FROM log.refused AS o WHERE o.host = of_host AND o.day = m.day
            ) + row_number() OVER (PARTITION BY m.day, k.reason IS NULL ORDER BY m.reason) <= 200
            THEN m.reason ELSE 'other reasons' END AS reason
        FROM (
            SELECT e.day, e.reason, count(*) AS count
            FROM jsonb_to_recordset(events -> 'refused') AS e (day date, reason text)
            GROUP BY e.day, e.reason
        ) AS m
        LEFT JOIN log.refused AS k ON k.host = of_host AND k.day = m.day AND k.reason = m.reason
    ) AS n
    GROUP BY n.day, n.reason
    ON CONFLICT (host, day, reason) DO UPDATE SET count = r.count + excluded.count;
END
$$;

-- As in 0031, with `held` and since when. Requeueing a message releases it.
CREATE OR REPLACE FUNCTION log.withdrawn_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, how text, at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'outcomes are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence,
        coalesce(w.kind, CASE WHEN r.at IS NULL THEN 'held' ELSE 'removed' END),
        coalesce(r.at, h.at)
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    LEFT JOIN log.withdrawn AS w
        ON w.host = e.host AND w.queue_id = e.queue_id AND w.kind <> 'probe'
    LEFT JOIN log.removed AS r ON r.host = e.host AND r.queue_id = e.queue_id
    LEFT JOIN LATERAL (
        SELECT n.at, n.is_held FROM log.held AS n
        WHERE n.host = e.host AND n.queue_id = e.queue_id ORDER BY n.at DESC LIMIT 1
    ) AS h ON h.is_held AND NOT log.is_tried_anew(e.host, e.queue_id, h.at)
    WHERE (w.kind IS NOT NULL OR r.at IS NOT NULL OR h.at IS NOT NULL)
      AND (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit);
END
$$;
