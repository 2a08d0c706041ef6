"""Opening a message of somebody's own mailbox in their absence, by two persons."""

from typing import ClassVar

from django.db import migrations, models

# The times are those of models/absence.py.
RIGHTS = """
SELECT loglist.hold_to_units('loglist.loglist_absencerequest');
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON loglist.loglist_absencerequest FROM kommunpost_web;

-- Ask to open the message of an entry that came to somebody in the unit; return the number of the
-- request. One that waits or is agreed to stands for a second one.
CREATE FUNCTION loglist.ask_in_absence(
    unit text, outbox uuid, place bigint, holder text, reason text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
    came timestamptz;
    made bigint;
BEGIN
    SELECT e.accepted_at INTO came FROM log.entry AS e
    WHERE e.outbox_id = outbox AND e.sequence = place AND e.recipient_unit = ask_in_absence.unit;
    IF (FOUND AND unit = ANY (loglist.writes()) AND btrim(reason) <> '' AND holder <> ''
        AND holder <> who.reader) IS NOT TRUE THEN
        RAISE EXCEPTION 'this is not for % to ask for', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('loglist.ask_in_absence'), hashtext(outbox::text));
    SELECT r.id INTO made FROM loglist.loglist_absencerequest AS r
    WHERE r.unit = ask_in_absence.unit AND r.outbox = ask_in_absence.outbox AND r.sequence = place
      AND (r.agreed_at > now() - interval '24 hours'
           OR r.agreed_at IS NULL AND r.asked_at > now() - interval '7 days');
    IF made IS NULL THEN
        INSERT INTO loglist.loglist_absencerequest (unit, outbox, sequence, accepted_at, holder,
            reason, asked_by, asked_by_name, asked_at, agreed_by, agreed_by_name)
        VALUES (ask_in_absence.unit, ask_in_absence.outbox, place, came, ask_in_absence.holder,
            btrim(ask_in_absence.reason), who.reader, who.name, now(), '', '')
        RETURNING id INTO made;
    END IF;
    RETURN made;
END
$$;

-- Agree to a request, as a head of the unit who does not review it or for the executive office; the
-- first who agrees counts. Never whoever asked, nor whose mailbox it is.
CREATE FUNCTION loglist.agree_in_absence(request bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
BEGIN
    UPDATE loglist.loglist_absencerequest AS r
    SET agreed_by = who.reader, agreed_by_name = who.name, agreed_at = now()
    WHERE r.id = request AND r.agreed_at IS NULL AND r.asked_at > now() - interval '7 days'
      AND who.reader NOT IN (r.asked_by, r.holder)
      AND (who.everything
           OR r.unit = ANY (who.units) AND NOT r.unit = ANY (loglist.writes()));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this is not for % to agree to', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- Return the number by which the mail store hands out the message, to whoever asked and for a day.
-- what: what of it they open. An error if nobody has agreed.
CREATE FUNCTION loglist.open_in_absence(unit text, outbox uuid, place bigint, what text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
    found_request loglist.loglist_absencerequest;
BEGIN
    SELECT r.* INTO found_request FROM loglist.loglist_absencerequest AS r
    WHERE r.unit = open_in_absence.unit AND r.outbox = open_in_absence.outbox
      AND r.sequence = place AND r.asked_by = who.reader
      AND r.agreed_at > now() - interval '24 hours'
    ORDER BY r.agreed_at DESC LIMIT 1;
    IF (FOUND AND unit = ANY (loglist.writes())) IS NOT TRUE THEN
        RAISE EXCEPTION 'nobody has agreed that % opens this', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN log.ask_mailbox(loglist.token(), unit, outbox, place, what, jsonb_build_object(
        'agreed', found_request.agreed_by_name, 'reason', found_request.reason));
END
$$;
REVOKE ALL ON FUNCTION loglist.ask_in_absence(text, uuid, bigint, text, text),
    loglist.agree_in_absence(bigint), loglist.open_in_absence(text, uuid, bigint, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.ask_in_absence(text, uuid, bigint, text, text),
    loglist.agree_in_absence(bigint), loglist.open_in_absence(text, uuid, bigint, text)
    TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes the table of requests, and the functions by which alone it is written."""

    dependencies: ClassVar = [("loglist", "0012_review_state")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="AbsenceRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("outbox", models.UUIDField()),
                ("sequence", models.BigIntegerField()),
                ("accepted_at", models.DateTimeField()),
                ("holder", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=2000)),
                ("asked_by", models.CharField(max_length=64)),
                ("asked_by_name", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField()),
                ("agreed_by", models.CharField(default="", max_length=64)),
                ("agreed_by_name", models.CharField(default="", max_length=200)),
                ("agreed_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["unit", "asked_at"], name="absence_unit")],
            },
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
