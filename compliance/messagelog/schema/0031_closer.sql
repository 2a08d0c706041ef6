-- The journal's words are held against the entries more closely: spellings of a recipient, lines
-- that are gone in its midst, Postfix's own address probes, long Message-IDs, and hosts that are no
-- more.

-- How well a line of the journal, with its `to` and `orig_to`, fits the entry of a recipient: 1 is
-- the surest, null not at all. An entry has the address as Postfix completes it ({rcpt_addr}); orig_to
-- has it as the client wrote it, where that differs: with a dot behind the domain, or without a
-- domain. So the line's own recipient counts too, but after all that says whom it was for. An
-- outcome belongs to the entries of its message that it fits best.
CREATE FUNCTION log.fit(entry_recipient text, recipient text, orig_to text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN lower(coalesce(orig_to, recipient)) = lower(entry_recipient) THEN 1
    WHEN orig_to IS NULL THEN NULL
    WHEN rtrim(lower(orig_to), '.') = lower(entry_recipient)
        OR (strpos(orig_to, '@') = 0
            AND starts_with(lower(entry_recipient), lower(orig_to) || '@'))
    THEN CASE WHEN lower(recipient) = lower(entry_recipient) THEN 2 ELSE 3 END
    WHEN lower(recipient) = lower(entry_recipient) THEN 4
END;
-- Whether no other entry of a message is fitted better than so. A function of its own: it is asked of
-- few lines, and is planned, over all months, when it is asked first.
CREATE FUNCTION log.fits_no_other(
    of_host text, of_queue_id text, at timestamptz, recipient text, orig_to text, fit integer
) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM log.entry AS n
        WHERE n.queue_id = of_queue_id AND n.accepted_at = at AND n.host = of_host
          AND log.fit(n.recipient, fits_no_other.recipient, fits_no_other.orig_to)
              < fits_no_other.fit
    );
END
$$;
REVOKE ALL ON FUNCTION log.fit(text, text, text),
    log.fits_no_other(text, text, timestamptz, text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.fit(text, text, text) TO kommunpost_reader;

COMMENT ON COLUMN log.delivery.orig_to IS
    'The address before Postfix completed it or replaced it by an alias or list; null if it did not.';
COMMENT ON COLUMN log.outcome.entry_recipient IS
    'As the sender wrote it; which entry that is, log.fit says.';

-- As in 0007, but that the entry is the one that fits best.
CREATE OR REPLACE VIEW log.expanded AS
SELECT 'expanded'::text AS kind, o.*, e.outbox_id, e.sequence, e.accepted_at
FROM log.outcome AS o
CROSS JOIN LATERAL (
    SELECT n.outbox_id, n.sequence, n.accepted_at FROM log.entry AS n
    WHERE n.queue_id = o.queue_id AND n.host = o.host
    ORDER BY log.fit(n.recipient, o.recipient, o.orig_to) NULLS LAST, n.sequence LIMIT 1
) AS e
WHERE NOT EXISTS (
    SELECT FROM log.entry AS n
    WHERE n.queue_id = o.queue_id AND n.host = o.host AND lower(n.recipient) = lower(o.recipient)
);

-- As in 0010, but that an outcome is of the entry that it fits best, not of orig_to alone.
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
    WHERE asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC, o.recipient;
END
$$;

-- As in 0022, but that an outcome is of the entry that it fits best, not of orig_to alone.
CREATE OR REPLACE FUNCTION log.unknown_of(
    token text, reading bigint, ats timestamptz[], outboxes uuid[], sequences bigint[]
) RETURNS TABLE (outbox_id uuid, sequence bigint, why text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(token, reading);
BEGIN
    IF asked.action NOT IN ('list', 'entry', 'export') OR cardinality(ats) > 10000 THEN
        RAISE EXCEPTION 'outcomes are not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT e.outbox_id, e.sequence, reason.why
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    CROSS JOIN LATERAL (SELECT CASE
        WHEN EXISTS (
            -- journald writes to disk every five minutes; so the outbox may have an entry that came
            -- after the last line that is left.
            SELECT FROM log.boot AS b
            WHERE b.host = e.host
              AND b.ended_at BETWEEN e.accepted_at - interval '6 minutes'
                                 AND e.accepted_at + interval '1 minute'
        ) AND EXISTS (
            -- What was in the queue is tried when Postfix is back, which may take minutes in a rush.
            SELECT FROM log.journal AS j
            WHERE j.host = e.host AND j.until > e.accepted_at + interval '15 minutes'
        ) THEN 'crash'
        WHEN e.accepted_at < now() - interval '5 days' THEN 'overdue'
    END) AS reason (why)
    WHERE reason.why IS NOT NULL
      AND (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit)
      AND NOT EXISTS (
        SELECT FROM log.delivery AS d
        CROSS JOIN LATERAL (SELECT log.fit(e.recipient, d.recipient, d.orig_to)) AS f (fit)
        WHERE d.host = e.host AND d.queue_id = e.queue_id
          AND CASE WHEN f.fit = 1 THEN true
                   WHEN f.fit > 1 THEN log.fits_no_other(e.host, e.queue_id, e.accepted_at,
                                                         d.recipient, d.orig_to, f.fit)
                   ELSE false END
    ) AND NOT EXISTS (
        SELECT FROM log.withdrawn AS w WHERE w.host = e.host AND w.queue_id = e.queue_id
    );
END
$$;

-- Postfix asks another host whether an address is deliverable by a message without content, which
-- enters the queue, passes the milters by, and is never delivered: `probe`.
ALTER TABLE log.withdrawn DROP CONSTRAINT withdrawn_kind_check;
ALTER TABLE log.withdrawn ADD CONSTRAINT withdrawn_kind_check
    CHECK (kind IN ('refused', 'discarded', 'probe'));

-- As in 0026, but that a question to an address was not withdrawn by anybody.
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
    SELECT e.outbox_id, e.sequence, coalesce(w.kind, 'removed'), r.at
    FROM unnest(ats, outboxes, sequences) AS p (at, outbox, sequence)
    JOIN log.entry AS e
        ON e.outbox_id = p.outbox AND e.sequence = p.sequence AND e.accepted_at = p.at
    LEFT JOIN log.withdrawn AS w
        ON w.host = e.host AND w.queue_id = e.queue_id AND w.kind <> 'probe'
    LEFT JOIN log.removed AS r ON r.host = e.host AND r.queue_id = e.queue_id
    WHERE (w.kind IS NOT NULL OR r.at IS NOT NULL)
      AND (asked.unit IS NULL OR e.recipient_unit = asked.unit OR e.sender_unit = asked.unit);
END
$$;

-- As in 0026, but that address probes are noted, and reasons to refuse are so many and no more.
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

-- Mail hosts that are no more, since when. A host that is heard of after that is none of them.
CREATE TABLE log.retired (
    host     text        NOT NULL,
    since    timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (host, since)
);
CREATE TRIGGER retired_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.retired
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
GRANT SELECT ON log.retired TO kommunpost_reader;

-- Up to when a mail host was heard of; null if never.
CREATE FUNCTION log.heard_of(of_host text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest((SELECT max(j.until) FROM log.journal AS j WHERE j.host = of_host),
                    (SELECT max(p.drained_at) FROM log.position AS p WHERE p.host = of_host))
$$;

-- Since when a host is retired; null if it is not.
CREATE FUNCTION log.retired_since(of_host text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT max(r.since) FROM log.retired AS r
    WHERE r.host = of_host AND r.since >= coalesce(log.heard_of(of_host), '-infinity')
$$;

-- Note that a mail host is retired. An error if nothing is known of it, or something later than that.
CREATE FUNCTION log.retire_host(of_host text, since timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM log.journal AS j WHERE j.host = of_host)
        AND NOT EXISTS (SELECT FROM log.position AS p WHERE p.host = of_host)
    THEN
        RAISE EXCEPTION 'the log knows no host %, but %', of_host, coalesce((
            SELECT string_agg(h.host, ', ' ORDER BY h.host) FROM log.host_health() AS h), 'none')
            USING ERRCODE = 'no_data_found';
    ELSIF since < log.heard_of(of_host) OR since > now() THEN
        RAISE EXCEPTION 'it was heard of until %, and it is now %',
            to_char((log.heard_of(of_host) + interval '1 second') AT TIME ZONE 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
            to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO log.retired (host, since) VALUES (of_host, since) ON CONFLICT DO NOTHING;
END
$$;

-- As in 0018, but that nothing is on its way from a retired host.
CREATE OR REPLACE FUNCTION log.differences(start timestamptz, stop timestamptz) RETURNS TABLE (
    kind text, host text, queue_id text, session text, at timestamptz, recipients text[],
    certain boolean
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT d.kind, d.host, d.queue_id, d.session, d.at, d.recipients, d.certain OR CASE
        WHEN d.kind = 'missing' THEN log.retired_since(d.host) IS NOT NULL
        WHEN d.kind = 'never_accepted' THEN log.retired_since(d.host) IS NOT NULL AND EXISTS (
            SELECT FROM log.journal AS j
            WHERE j.host = d.host AND d.at BETWEEN j.since AND j.until)
        WHEN d.queue_id IS NOT NULL THEN EXISTS (
            SELECT FROM log.delivery AS o
            WHERE o.session = d.session AND log.retired_since(o.host) IS NOT NULL)
        ELSE (
            SELECT coalesce(bool_and(j.until > d.at + interval '1 minute'), false)
            FROM (SELECT n.host, max(n.until) AS until FROM log.journal AS n GROUP BY n.host) AS j
            WHERE log.retired_since(j.host) IS NULL)
    END
    FROM log.differences_by_queue_id(start, stop) AS d
    WHERE d.kind <> 'unseen' OR d.queue_id IS NOT NULL OR NOT log.is_known_by_its_id(d.session)
$$;

-- As in 0007, but that a new stretch is a gap whatever the clock says, and a retired host has none after
-- it was: what it wrote and nobody read before is told as ever.
CREATE OR REPLACE FUNCTION log.journal_gaps(start timestamptz, stop timestamptz)
RETURNS TABLE (host text, since timestamptz, until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT g.host, greatest(least(g.since, g.until), start),
        CASE WHEN g.until IS NOT NULL THEN least(greatest(g.since, g.until), stop) END
    FROM (
        SELECT e.host, e.since, coalesce(r.since, e.until) AS until, r.since AS retired
        FROM (
            SELECT j.host, j.until AS since, lead(j.since) OVER of_host AS until
            FROM log.journal AS j WINDOW of_host AS (PARTITION BY j.host ORDER BY j.number)
        ) AS e
        LEFT JOIN LATERAL (
            SELECT min(n.since) AS since FROM log.retired AS n
            WHERE n.host = e.host AND n.since >= e.since
              AND n.since <= coalesce(e.until, 'infinity')
        ) AS r ON true
    ) AS g
    WHERE CASE
        WHEN g.until IS NULL THEN g.since < stop
        WHEN g.retired IS NOT NULL THEN g.since < g.until AND g.since < stop AND g.until > start
        ELSE least(g.since, g.until) < stop AND greatest(g.since, g.until) >= start
    END
    UNION ALL
    SELECT p.host, start, least(log.retired_since(p.host), stop)
    FROM (SELECT DISTINCT n.host FROM log.position AS n) AS p
    WHERE NOT EXISTS (SELECT FROM log.journal AS j WHERE j.host = p.host)
      AND coalesce(log.retired_since(p.host), 'infinity') > start
    UNION ALL
    SELECT f.host, start, least(f.since, stop)
    FROM (SELECT j.host, min(j.since) AS since FROM log.journal AS j GROUP BY j.host) AS f
    WHERE EXISTS (SELECT FROM log.entry AS e WHERE e.host = f.host AND e.accepted_at >= start
                  AND e.accepted_at < least(f.since, stop))
$$;

-- As in 0013, but without the hosts that are retired.
CREATE OR REPLACE FUNCTION log.host_health()
RETURNS TABLE (host text, shipped_until timestamptz, followed_until timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(p.host, j.host), p.at, j.at
    FROM (SELECT n.host, max(n.drained_at) AS at FROM log.position AS n GROUP BY n.host) AS p
    FULL JOIN (SELECT n.host, max(n.until) AS at FROM log.journal AS n GROUP BY n.host) AS j
        ON j.host = p.host
    WHERE log.retired_since(coalesce(p.host, j.host)) IS NULL
    ORDER BY 1
$$;

-- As in 0018, but that Dovecot shortens a long id (to 80 or 200 bytes, and ends it in three dots), and
-- a letter whose id begins so is then the one, if it came in the days that Postfix keeps it.
CREATE OR REPLACE FUNCTION log.is_known_by_its_id(of_session text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM log.stored AS s
        JOIN log.boot AS b
          ON b.ended_at BETWEEN s.at - interval '1 minute' AND s.at + interval '1 minute'
        WHERE s.session = of_session AND (
            EXISTS (
                SELECT FROM log.entry AS e
                WHERE log.ids_of(e.message_id, e."references") COLLATE "C" @> ARRAY[s.message_id]
                  AND e.message_id = s.message_id)
            OR (s.message_id LIKE '%...' AND octet_length(s.message_id) BETWEEN 70 AND 200 AND EXISTS (
                SELECT FROM log.entry AS e
                WHERE e.accepted_at BETWEEN s.at - interval '6 days' AND s.at + interval '1 day'
                  AND starts_with(e.message_id, left(s.message_id, -3))))
        )
    )
$$;

REVOKE ALL ON FUNCTION log.heard_of(text), log.retired_since(text),
    log.retire_host(text, timestamptz) FROM PUBLIC;
