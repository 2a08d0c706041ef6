-- What no milter writes is not stored, since what is stored stays: one entry at no time stopped
-- every sealing after it. And the verifier counts anew what follows from the entries.
-- Why so: docs/decisions/0022-seal.md

-- The clock of a Linux host counts nanoseconds since 1970 in 63 bits, which ends in 2262: one that
-- is wrong shows a time in between, and its entries are taken.
CREATE FUNCTION log.refuse_unknown(
    sequence bigint, outbox uuid, host text, version smallint, accepted_at timestamptz
) RETURNS bytea
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF version BETWEEN 1 AND 4 THEN
        RAISE EXCEPTION 'record % of outbox % of host % has the time %, which no clock shows',
            sequence, outbox, host, coalesce(accepted_at::text, 'none')
            USING ERRCODE = 'data_exception',
            HINT = 'the milter writes no such record: see who changed the outbox on that host';
    END IF;
    RAISE EXCEPTION
        'record % of outbox % of host % has the version %, which this log does not know',
        sequence, outbox, host, coalesce(version::text, 'none')
        USING ERRCODE = 'data_exception',
        HINT = 'install the version of kommunpost that the mail host has, and migrate the log';
END
$$;

-- As in 0011, but that a time or version that no milter writes is refused, and that numbers follow
-- one another: a link holds over a gap too, for who computes it so.
CREATE OR REPLACE FUNCTION log.append(outbox uuid, host text, records json) RETURNS bigint
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
            CASE WHEN (n.version BETWEEN 1 AND 4 AND n.accepted_at >= '1970-01-01 00:00+00'
                       AND n.accepted_at < '2263-01-01 00:00+00') IS NOT TRUE
            THEN log.refuse_unknown(n.sequence, outbox, append.host, n.version, n.accepted_at)
            WHEN n.host = append.host AND n.host = place.host
                AND n.sequence = place.sequence + row_number() OVER (ORDER BY n.sequence)
                AND decode(n.chain, 'hex')
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

-- Where log.unit_day is not what log.count_days makes of the entries there are, from a day on and
-- before another (null: all). Numbers are in, out, internal and probes.
CREATE FUNCTION log.miscounted(since date, until date)
RETURNS TABLE (unit text, day date, outbox_id uuid, counted bigint[], there bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH grouped AS (
        SELECT (e.accepted_at AT TIME ZONE 'Europe/Stockholm')::date AS day, e.direction,
               e.label IS NOT DISTINCT FROM 'probe' AS is_probe, e.outbox_id, e.recipient_unit,
               e.sender_unit, count(*) AS entries
        FROM log.entry AS e
        WHERE e.accepted_at
              >= coalesce(since::timestamp AT TIME ZONE 'Europe/Stockholm', '-infinity')
          AND (until IS NULL
               OR e.accepted_at < until::timestamp AT TIME ZONE 'Europe/Stockholm')
        GROUP BY 1, 2, 3, 4, 5, 6
    ), there AS (
        SELECT u.unit, g.day, g.outbox_id,
            sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'in') AS incoming,
            sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'out') AS outgoing,
            sum(g.entries) FILTER (WHERE NOT g.is_probe AND g.direction = 'internal') AS internal,
            sum(g.entries) FILTER (WHERE g.is_probe) AS probes
        FROM grouped AS g CROSS JOIN LATERAL (
            SELECT g.recipient_unit WHERE g.recipient_unit IS NOT NULL
            UNION SELECT g.sender_unit WHERE g.sender_unit IS NOT NULL
            UNION SELECT '' WHERE coalesce(g.recipient_unit, g.sender_unit) IS NULL
        ) AS u (unit)
        GROUP BY 1, 2, 3
    ), counted AS (
        SELECT * FROM log.unit_day AS c
        WHERE c.day >= coalesce(since, '-infinity') AND (until IS NULL OR c.day < until)
    ), compared AS (
        SELECT unit, day, outbox_id,
            ARRAY[coalesce(c.incoming, 0), coalesce(c.outgoing, 0), coalesce(c.internal, 0),
                  coalesce(c.probes, 0)]::bigint[] AS counted,
            ARRAY[coalesce(t.incoming, 0), coalesce(t.outgoing, 0), coalesce(t.internal, 0),
                  coalesce(t.probes, 0)]::bigint[] AS there
        FROM counted AS c FULL JOIN there AS t USING (unit, day, outbox_id)
    )
    SELECT * FROM compared AS c WHERE c.counted <> c.there ORDER BY c.day, c.unit, c.outbox_id
$$;

REVOKE ALL ON FUNCTION log.refuse_unknown(bigint, uuid, text, smallint, timestamptz),
    log.miscounted(date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.miscounted(date, date) TO kommunpost_reader, kommunpost_sealer;
