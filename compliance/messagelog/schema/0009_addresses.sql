-- A page of the rows of an address, or the one row of an outbox and sequence: what an index finds
-- at once in each month. The plan is kept, since planning for all months costs more than reading.
-- Each index gives no more rows than a page needs: a tenth of all mail may come from one address.
CREATE FUNCTION log.rows_at_once(
    wanted log.filter, page integer, after_at timestamptz, after_outbox uuid, after_sequence bigint
) RETURNS SETOF log.listed
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    address text := lower(wanted.address);
    low timestamptz := coalesce(wanted.since, '-infinity');
    high timestamptz := coalesce(wanted.until, 'infinity');
    pattern text := log.pattern_of(wanted.part);
    unit text := wanted.unit;
    way text := wanted.direction;
    probes boolean := coalesce(wanted.probes, false);
    query tsquery := plainto_tsquery('pg_catalog.swedish', wanted.words);
BEGIN
    IF wanted.sequence IS NOT NULL THEN
        RETURN QUERY
        SELECT e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender,
            e.from_address, e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size,
            e.sender_unit, e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments,
            e.attachment_names, e.spam_verdict
        FROM log.entry AS e
        WHERE e.outbox_id = wanted.outbox AND e.sequence = wanted.sequence
          AND (wanted.unit IS NULL
               OR e.recipient_unit = wanted.unit OR e.sender_unit = wanted.unit);
        RETURN;
    END IF;
    RETURN QUERY
    SELECT DISTINCT ON (e.accepted_at, e.outbox_id, e.sequence)
        e.accepted_at, e.outbox_id, e.sequence, e.direction, e.envelope_sender, e.from_address,
        e.from_text, e.recipient, e.subject, e.message_id, e.queue_id, e.size, e.sender_unit,
        e.recipient_unit, e.label, e.host, e.authenticated_user, e.attachments, e.attachment_names,
        e.spam_verdict
    FROM (
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.recipient) = address AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
        UNION ALL
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.envelope_sender) = address AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
        UNION ALL
        (SELECT e.* FROM log.entry AS e
         WHERE lower(e.from_address) = address AND e.accepted_at >= low AND e.accepted_at < high
           AND e.accepted_at <= after_at
           AND (e.accepted_at, e.outbox_id, e.sequence) < (after_at, after_outbox, after_sequence)
           AND (unit IS NULL OR e.recipient_unit = unit OR e.sender_unit = unit)
           AND (way IS NULL OR e.direction = way)
           AND (pattern IS NULL OR e.subject ILIKE pattern)
           AND (query IS NULL OR to_tsvector('pg_catalog.swedish', e.subject) @@ query)
           AND (probes OR e.label IS DISTINCT FROM 'probe')
         ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page)
    ) AS e
    ORDER BY e.accepted_at DESC, e.outbox_id DESC, e.sequence DESC LIMIT page;
END
$$;

REVOKE ALL ON FUNCTION log.rows_at_once(log.filter, integer, timestamptz, uuid, bigint) FROM PUBLIC;
