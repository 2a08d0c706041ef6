-- What was said under a clock that was ahead for a while is not believed when the clock is set, and a
-- message that was requeued has the outcome that it has under the addresses looked up since.
-- Why so: docs/decisions/0023-delivery.md

-- When a message was requeued. Null: by a follower that did not say it.
ALTER TABLE log.requeued ADD COLUMN at timestamptz;
CREATE INDEX requeued_original ON log.requeued (host, original);

-- Whether a message was requeued after an attempt. Then whoever waited is looked up anew: their alias
-- may stand for others by now, and whoever still waits is tried under the new queue id.
CREATE FUNCTION log.is_tried_anew(of_host text, of_queue_id text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN EXISTS (
    SELECT FROM log.requeued AS r
    WHERE r.host = of_host AND r.original = of_queue_id AND r.at >= is_tried_anew.at
);
REVOKE ALL ON FUNCTION log.is_tried_anew(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.is_tried_anew(text, text, timestamptz) TO kommunpost_reader;

-- As in 0007, without those who are tried anew.
CREATE OR REPLACE VIEW log.outcome AS
SELECT o.* FROM (
    SELECT DISTINCT ON (d.host, d.queue_id, d.recipient, d.orig_to)
        d.host, d.queue_id, d.recipient, d.orig_to,
        coalesce(d.orig_to, d.recipient) AS entry_recipient, d.at, d.status, d.dsn, d.relay,
        d.reply, d.delay, d.tls, d.recipient_unit
    FROM log.delivery AS d
    ORDER BY d.host, d.queue_id, d.recipient, d.orig_to, d.number DESC
) AS o
WHERE o.status <> 'deferred' OR NOT log.is_tried_anew(o.host, o.queue_id, o.at);

-- As in 0031, without those who are tried anew.
CREATE OR REPLACE FUNCTION log.outcomes_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, recipient text, at timestamptz, status text,
                 dsn text, relay text, reply text, tls text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'outcomes are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence, o.recipient, o.at, o.status, o.dsn, o.relay, o.reply, o.tls
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (d.recipient, d.orig_to) d.*
        FROM log.delivery AS d
        CROSS JOIN LATERAL (SELECT log.fit(e.recipient, d.recipient, d.orig_to)) AS f (fit)
        WHERE d.host = e.host AND d.queue_id = e.queue_id
          AND CASE WHEN f.fit = 1 THEN true
                   WHEN f.fit > 1 THEN log.fits_no_other(e.host, e.queue_id, e.accepted_at,
                                                         d.recipient, d.orig_to, f.fit)
                   ELSE false END
        ORDER BY d.recipient, d.orig_to, d.number DESC
    ) AS o
    WHERE (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit)
      AND (o.status <> 'deferred' OR NOT log.is_tried_anew(o.host, o.queue_id, o.at))
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC, o.recipient;
END
$$;

-- As in 0031, but that the journal is read up to where its last line says, whatever a clock said that
-- was ahead; and requeued mail is withdrawn under its first id too.
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

-- As in 0007, but that the last time counts, whatever a clock said that was ahead.
CREATE OR REPLACE FUNCTION log.drained(outbox uuid, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE log.position AS p SET drained_at = drained.at WHERE p.outbox_id = outbox
$$;

-- As in 0031, but that it says so of a host that was never heard of.
CREATE OR REPLACE FUNCTION log.retire_host(of_host text, since timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM log.journal AS j WHERE j.host = of_host)
        AND NOT EXISTS (SELECT FROM log.position AS p WHERE p.host = of_host)
    THEN
        RAISE EXCEPTION 'the log knows no host %, but %', of_host, coalesce((
            SELECT string_agg(h.host, ', ' ORDER BY h.host) FROM log.host_health() AS h), 'none')
            USING ERRCODE = 'no_data_found';
    ELSIF since < log.heard_of(of_host) OR since > now() THEN
        RAISE EXCEPTION 'it was %, and it is now %',
            coalesce('heard of until ' || to_char(
                (log.heard_of(of_host) + interval '1 second') AT TIME ZONE 'UTC',
                'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'never heard of'),
            to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO log.retired (host, since) VALUES (of_host, since) ON CONFLICT DO NOTHING;
END
$$;
