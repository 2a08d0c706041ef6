"""What was kept back may be appealed, and is not disposed of before that has come to its end."""

from typing import ClassVar

from django.db import migrations, models

# Three weeks from the day when whoever asked got the decision (FL 2017:900, 44 §). That day nobody
# here knows: eight weeks leave room for the post, and for an appeal that is on its way.
KEPT = """
CREATE OR REPLACE FUNCTION loglist.change_disclosure() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_appeal text[] := ARRAY['appealed_at', 'appealed_by', 'appeal_over_at', 'appeal_over_by'];
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        IF OLD.held_until IS NULL OR to_jsonb(NEW) - of_appeal <> to_jsonb(OLD) - of_appeal THEN
            RAISE EXCEPTION 'request % has ended', OLD.id USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN loglist.change_appeal(OLD, NEW);
    END IF;
    IF (NEW.id, NEW.unit, NEW.asked_for, NEW.asked_by, NEW.received_on, NEW.registered_at,
        NEW.registered_by, NEW.hold, NEW.held_until, NEW.appealed_at, NEW.appealed_by,
        NEW.appeal_over_at, NEW.appeal_over_by)
       IS DISTINCT FROM (OLD.id, OLD.unit, OLD.asked_for, OLD.asked_by, OLD.received_on,
                         OLD.registered_at, OLD.registered_by, OLD.hold, NULL, NULL, '', NULL, '')
    THEN
        RAISE EXCEPTION 'this of request % is not changed', OLD.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.ended_at IS NOT NULL THEN
        NEW.ended_at := now();
        NEW.ended_by := (log.session_of(loglist.token())).name;
        IF NEW.outcome <> 'handed-out' OR EXISTS (
            SELECT FROM loglist.loglist_disclosurerow AS r
            WHERE r.disclosure_id = OLD.id AND r.sender || r.recipient || r.subject <> ''
        ) THEN
            NEW.held_until := now() + interval '56 days';
        END IF;
        UPDATE log.hold SET until = coalesce(NEW.held_until, now()) WHERE number = OLD.hold;
    END IF;
    RETURN NEW;
END
$$;

-- While a request is open there is nothing to appeal, from its first moment on.
ALTER TABLE loglist.loglist_disclosure ADD CONSTRAINT disclosure_open_without_appeal CHECK (
    ended_at IS NOT NULL OR (held_until IS NULL AND appealed_at IS NULL AND appeal_over_at IS NULL)
);

-- An appeal is noted once, and once that it is over.
CREATE FUNCTION loglist.change_appeal(
    before loglist.loglist_disclosure, after loglist.loglist_disclosure
) RETURNS loglist.loglist_disclosure
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text := (log.session_of(loglist.token())).name;
BEGIN
    IF before.appealed_at IS NULL AND after.appealed_at IS NOT NULL
       AND after.appeal_over_at IS NULL THEN
        after.appealed_at := now();
        after.appealed_by := who;
        UPDATE log.hold SET until = NULL WHERE number = before.hold;
    ELSIF before.appealed_at IS NOT NULL AND before.appeal_over_at IS NULL
          AND after.appeal_over_at IS NOT NULL AND after.appealed_at = before.appealed_at
          AND after.appealed_by = before.appealed_by THEN
        after.appeal_over_at := now();
        after.appeal_over_by := who;
        UPDATE log.hold SET until = now() WHERE number = before.hold;
    ELSE
        RAISE EXCEPTION 'the appeal of request % is noted otherwise', before.id
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN after;
END
$$;
REVOKE ALL ON FUNCTION loglist.change_appeal(loglist.loglist_disclosure, loglist.loglist_disclosure)
    FROM PUBLIC;
"""


class Migration(migrations.Migration):
    """Makes room for an appeal, and keeps the hold until there can be none any more."""

    dependencies: ClassVar = [("loglist", "0017_standing")]
    operations: ClassVar = [
        *(
            migrations.AddField("disclosure", name, models.DateTimeField(null=True))
            for name in ("held_until", "appealed_at", "appeal_over_at")
        ),
        *(
            migrations.AddField("disclosure", name, models.CharField(default="", max_length=200))
            for name in ("appealed_by", "appeal_over_by")
        ),
        migrations.RunSQL(KEPT, migrations.RunSQL.noop),
    ]
