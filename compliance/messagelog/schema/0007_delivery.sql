-- What became of each message, as the mail hosts' journals tell: Postfix's queue, each attempt to
-- deliver, what Dovecot stored, and refusals by reason. `kommunpost log outcomes` brings it.

-- How far each mail host's journal is read. A row is a stretch without a gap; the last one of a host
-- goes on. It is written in the transaction that stores what was read: exactly once.
CREATE TABLE log.journal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host   text        NOT NULL,
    since  timestamptz NOT NULL,
    until  timestamptz NOT NULL,
    cursor text        NOT NULL,
    memory jsonb       NOT NULL
);
CREATE INDEX journal_host ON log.journal (host, number);
COMMENT ON COLUMN log.journal.until IS 'Everything in the journal up to here was read.';

-- Up to when the outbox was empty once: what was accepted before and is not here was never logged.
ALTER TABLE log.position ADD COLUMN drained_at timestamptz;

-- Each message that Postfix took into its queue, once.
CREATE TABLE log.accepted (
    host       text        NOT NULL,
    queue_id   text        NOT NULL,
    at         timestamptz NOT NULL,
    recipients integer,
    PRIMARY KEY (host, queue_id)
);
CREATE INDEX accepted_at ON log.accepted (at);
COMMENT ON COLUMN log.accepted.recipients IS 'After expansion; null for mail put on hold.';

-- `postsuper -r` gives a message a new queue id and passes the milters by. original: the first id.
CREATE TABLE log.requeued (
    host     text NOT NULL,
    queue_id text NOT NULL,
    original text NOT NULL,
    PRIMARY KEY (host, queue_id)
);

-- Messages that Postfix refused or threw away after they had a queue id.
CREATE TABLE log.withdrawn (
    host     text NOT NULL,
    queue_id text NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('refused', 'discarded')),
    PRIMARY KEY (host, queue_id)
);

-- Each attempt to deliver. queue_id: the first one of a message that was requeued.
CREATE TABLE log.delivery (
    number         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host           text        NOT NULL,
    queue_id       text        NOT NULL,
    at             timestamptz NOT NULL,
    recipient      text        NOT NULL,
    orig_to        text,
    status         text        NOT NULL
                   CHECK (status IN ('sent', 'deferred', 'bounced', 'expired')),
    dsn            text,
    relay          text,
    reply          text,
    delay          real,
    tls            text,
    session        text,
    recipient_unit text
);
CREATE INDEX delivery_queue_id ON log.delivery (queue_id);
CREATE INDEX delivery_at ON log.delivery (at);
CREATE INDEX delivery_recipient_unit ON log.delivery (recipient_unit, at)
    WHERE recipient_unit IS NOT NULL;
CREATE INDEX delivery_session ON log.delivery (session) WHERE session IS NOT NULL;
COMMENT ON COLUMN log.delivery.orig_to IS
    'The address before Postfix replaced it by an alias or list; null if it did not.';
COMMENT ON COLUMN log.delivery.tls IS
    'What Postfix says of the connection, e.g. Trusted TLSv1.3; null without TLS.';
COMMENT ON COLUMN log.delivery.session IS 'Dovecot''s name for the delivery, if it went to Dovecot.';

-- What Dovecot stored in a mailbox by LMTP.
CREATE TABLE log.stored (
    session   text        PRIMARY KEY,
    host      text        NOT NULL,
    at        timestamptz NOT NULL,
    recipient text        NOT NULL
);
CREATE INDEX stored_at ON log.stored (at);

-- Refusals before anything was accepted, counted; whose they were is not kept.
CREATE TABLE log.refused (
    host   text   NOT NULL,
    day    date   NOT NULL,
    reason text   NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (host, day, reason)
);

-- The latest state of each recipient that Postfix delivers to. An entry's outcome are the rows with
-- its host and queue id whose entry_recipient is its recipient: several where it is a list.
CREATE VIEW log.outcome AS
SELECT DISTINCT ON (host, queue_id, recipient, orig_to)
    host, queue_id, recipient, orig_to, coalesce(orig_to, recipient) AS entry_recipient, at, status,
    dsn, relay, reply, delay, tls, recipient_unit
FROM log.delivery
ORDER BY host, queue_id, recipient, orig_to, number DESC;

-- Recipients that arose after the milter: of aliases, lists and copies, each with the entry that it
-- comes from.
CREATE VIEW log.expanded AS
SELECT 'expanded'::text AS kind, o.*, e.outbox_id, e.sequence, e.accepted_at
FROM log.outcome AS o
CROSS JOIN LATERAL (
    SELECT n.outbox_id, n.sequence, n.accepted_at FROM log.entry AS n
    WHERE n.queue_id = o.queue_id AND n.host = o.host
    ORDER BY lower(n.recipient) = lower(o.entry_recipient) DESC, n.sequence LIMIT 1
) AS e
WHERE NOT EXISTS (
    SELECT FROM log.entry AS n
    WHERE n.queue_id = o.queue_id AND n.host = o.host AND lower(n.recipient) = lower(o.recipient)
);

-- What became of a message stays as it was told, and goes with its last entry.
CREATE FUNCTION log.refuse_while_logged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = OLD.queue_id AND e.host = OLD.host
    ) THEN
        RAISE EXCEPTION 'the message log is never changed: % on % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER delivery_unchanged BEFORE UPDATE OR TRUNCATE ON log.delivery
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER delivery_stays_with_entry BEFORE DELETE ON log.delivery
    FOR EACH ROW EXECUTE FUNCTION log.refuse_while_logged();
CREATE TRIGGER accepted_unchanged BEFORE UPDATE OR TRUNCATE ON log.accepted
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER accepted_stays_with_entry BEFORE DELETE ON log.accepted
    FOR EACH ROW EXECUTE FUNCTION log.refuse_while_logged();

CREATE FUNCTION log.take_outcome_along() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = OLD.queue_id AND e.host = OLD.host
    ) THEN
        DELETE FROM log.stored AS s USING log.delivery AS d
            WHERE d.queue_id = OLD.queue_id AND d.host = OLD.host AND s.session = d.session;
        DELETE FROM log.delivery AS d WHERE d.queue_id = OLD.queue_id AND d.host = OLD.host;
        DELETE FROM log.accepted AS a WHERE a.queue_id = OLD.queue_id AND a.host = OLD.host;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER entry_takes_outcome_along AFTER DELETE ON log.entry
    FOR EACH ROW EXECUTE FUNCTION log.take_outcome_along();

-- Where the follower of a host's journal must go on; no row if it was never read.
CREATE FUNCTION log.journal_position(of_host text) RETURNS TABLE ("cursor" text, memory jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.cursor, j.memory FROM log.journal AS j
    WHERE j.host = of_host ORDER BY j.number DESC LIMIT 1
$$;

-- Store what was read of a host's journal behind the cursor `after`, up to `cursor`. began: set when
-- a new stretch begins, at the time of its first line. events: what
-- compliance/messagelog/postfix_lines.py calls Events, as JSON. An error if another follower was
-- here meanwhile; then nothing is stored.
CREATE FUNCTION log.follow(
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

    INSERT INTO log.stored (session, host, at, recipient)
    SELECT n.session, of_host, n.at, n.recipient
    FROM jsonb_to_recordset(events -> 'stored')
        AS n (session text, at timestamptz, recipient text)
    ON CONFLICT DO NOTHING;

    INSERT INTO log.refused AS r (host, day, reason, count)
    SELECT of_host, n.day, n.reason, count(*)
    FROM jsonb_to_recordset(events -> 'refused') AS n (day date, reason text)
    GROUP BY n.day, n.reason
    ON CONFLICT (host, day, reason) DO UPDATE SET count = r.count + excluded.count;
END
$$;

-- The shipper says that it found the outbox empty at that time.
CREATE FUNCTION log.drained(outbox uuid, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE log.position AS p SET drained_at = greatest(p.drained_at, at) WHERE p.outbox_id = outbox
$$;

-- Where the log and the records of Postfix and Dovecot do not agree, for what was accepted, logged
-- or stored from `start` on and before `stop`. kind:
--   missing         Postfix accepted it, and the log has no entry
--   never_accepted  the log has entries, and Postfix did not take it into its queue
--   unseen          Dovecot stored it, and no logged message explains it
-- certain: false while shipper or follower may still bring the other half. Mail is matched by host
-- and queue id, whatever the day: the clock may step, and mail waits over midnight.
CREATE FUNCTION log.differences(start timestamptz, stop timestamptz) RETURNS TABLE (
    kind text, host text, queue_id text, session text, at timestamptz, recipients text[],
    certain boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    -- Nearly all is found within a day; the rest is looked for by index.
    near_start timestamptz := start - interval '1 day';
    near_stop timestamptz := stop + interval '1 day';
BEGIN
    RETURN QUERY
    WITH drained AS (
        SELECT p.host, max(p.drained_at) AS at FROM log.position AS p GROUP BY p.host
    ), far AS MATERIALIZED (
        SELECT a.* FROM log.accepted AS a
        WHERE a.at >= start AND a.at < stop AND NOT EXISTS (
            SELECT FROM log.entry AS e WHERE e.queue_id = a.queue_id AND e.host = a.host
              AND e.accepted_at >= near_start AND e.accepted_at < near_stop)
    )
    SELECT 'missing', f.host, f.queue_id, NULL::text, f.at,
        ARRAY(SELECT DISTINCT d.recipient FROM log.delivery AS d
              WHERE d.queue_id = f.queue_id AND d.host = f.host ORDER BY 1),
        -- A host that never shipped has nothing on its way.
        p.host IS NULL OR coalesce(f.at <= p.at, false)
    FROM far AS f LEFT JOIN drained AS p ON p.host = f.host
    WHERE NOT EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = f.queue_id AND e.host = f.host
    ) AND NOT EXISTS (
        SELECT FROM log.withdrawn AS w WHERE w.queue_id = f.queue_id AND w.host = f.host
    );

    RETURN QUERY
    WITH far AS MATERIALIZED (
        SELECT e.host, e.queue_id, min(e.accepted_at) AS at,
               array_agg(e.recipient ORDER BY e.sequence) AS recipients
        FROM log.entry AS e
        WHERE e.accepted_at >= start AND e.accepted_at < stop AND NOT EXISTS (
            SELECT FROM log.accepted AS a WHERE a.queue_id = e.queue_id AND a.host = e.host
              AND a.at >= near_start AND a.at < near_stop)
        GROUP BY e.host, e.queue_id
    )
    SELECT 'never_accepted', f.host, f.queue_id, NULL::text, f.at, f.recipients,
        -- The queue manager may take minutes in a rush.
        EXISTS (SELECT FROM log.journal AS j WHERE j.host = f.host
                AND f.at BETWEEN j.since AND j.until - interval '15 minutes')
    FROM far AS f
    WHERE NOT EXISTS (
        SELECT FROM log.accepted AS a WHERE a.queue_id = f.queue_id AND a.host = f.host
    ) AND NOT EXISTS (
        SELECT FROM log.withdrawn AS w
        WHERE w.queue_id = f.queue_id AND w.host = f.host AND w.kind = 'discarded'
    );

    RETURN QUERY
    WITH drained AS (
        SELECT p.host, max(p.drained_at) AS at FROM log.position AS p GROUP BY p.host
    ), far AS MATERIALIZED (
        SELECT s.session, s.host, s.at, s.recipient, d.host AS from_host, d.queue_id
        FROM log.stored AS s
        LEFT JOIN log.delivery AS d ON d.session = s.session
        WHERE s.at >= start AND s.at < stop AND NOT EXISTS (
            SELECT FROM log.entry AS e WHERE e.queue_id = d.queue_id AND e.host = d.host
              AND e.accepted_at >= near_start AND e.accepted_at < near_stop)
    )
    SELECT 'unseen', f.host, f.queue_id, f.session, f.at, ARRAY[f.recipient],
        CASE WHEN f.queue_id IS NULL
             -- Dovecot speaks first; Postfix may do so on another host.
             THEN (SELECT coalesce(bool_and(j.until > f.at + interval '1 minute'), false)
                   FROM (SELECT DISTINCT ON (n.host) n.until FROM log.journal AS n
                         ORDER BY n.host, n.number DESC) AS j)
             ELSE p.host IS NULL OR coalesce(f.at <= p.at, false)
        END
    FROM far AS f LEFT JOIN drained AS p ON p.host = f.from_host
    WHERE NOT EXISTS (
        SELECT FROM log.entry AS e WHERE e.queue_id = f.queue_id AND e.host = f.from_host
    );
END
$$;

-- Times between `start` and `stop` of which a mail host's journal was not read; `until` is null where
-- reading has not come further yet. Before the first line that was ever read of a host, only log
-- entries of it make a gap.
CREATE FUNCTION log.journal_gaps(start timestamptz, stop timestamptz)
RETURNS TABLE (host text, since timestamptz, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.host, greatest(g.since, start), CASE WHEN g.until < stop THEN g.until ELSE stop END
    FROM (
        SELECT j.host, lag(j.until) OVER of_host AS since, j.since AS until
        FROM log.journal AS j WINDOW of_host AS (PARTITION BY j.host ORDER BY j.number)
    ) AS g
    WHERE g.since < g.until AND g.since < stop AND g.until > start
    UNION ALL
    SELECT l.host, greatest(l.until, start), NULL
    FROM (SELECT DISTINCT ON (j.host) j.host, j.until FROM log.journal AS j
          ORDER BY j.host, j.number DESC) AS l
    WHERE l.until < stop
    UNION ALL
    SELECT p.host, start, stop
    FROM (SELECT DISTINCT host FROM log.position) AS p
    WHERE NOT EXISTS (SELECT FROM log.journal AS j WHERE j.host = p.host)
    UNION ALL
    SELECT f.host, start, least(f.since, stop)
    FROM (SELECT j.host, min(j.since) AS since FROM log.journal AS j GROUP BY j.host) AS f
    WHERE EXISTS (SELECT FROM log.entry AS e WHERE e.host = f.host AND e.accepted_at >= start
                  AND e.accepted_at < least(f.since, stop))
$$;

-- Messages that Postfix accepted, and messages that have entries, in that time.
CREATE FUNCTION log.counted(start timestamptz, stop timestamptz)
RETURNS TABLE (accepted bigint, logged bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
    SELECT (SELECT count(*) FROM log.accepted AS a WHERE a.at >= start AND a.at < stop),
           (SELECT count(*) FROM (
                SELECT DISTINCT e.host, e.queue_id FROM log.entry AS e
                WHERE e.accepted_at >= start AND e.accepted_at < stop) AS m)
$$;

REVOKE ALL ON FUNCTION log.refuse_while_logged(), log.take_outcome_along(),
    log.journal_position(text),
    log.follow(text, text, text, timestamptz, timestamptz, jsonb, jsonb),
    log.drained(uuid, timestamptz), log.differences(timestamptz, timestamptz),
    log.journal_gaps(timestamptz, timestamptz), log.counted(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.journal_position(text),
    log.follow(text, text, text, timestamptz, timestamptz, jsonb, jsonb),
    log.drained(uuid, timestamptz) TO kommunpost_writer;
GRANT EXECUTE ON FUNCTION log.differences(timestamptz, timestamptz),
    log.journal_gaps(timestamptz, timestamptz), log.counted(timestamptz, timestamptz)
    TO kommunpost_reader;
GRANT SELECT ON log.journal, log.accepted, log.requeued, log.withdrawn, log.delivery, log.stored,
    log.refused, log.outcome, log.expanded TO kommunpost_reader;
