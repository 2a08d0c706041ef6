"""Opening a message of the archive: for whoever reviews the unit, and noted before it is read."""

from typing import ClassVar

from django.db import migrations

ASK = """
-- Return the number by which the archive hands out the message. An error for all who don't review
-- the unit, and for an entry that isn't the unit's.
CREATE FUNCTION loglist.ask_archive(unit text, outbox uuid, place bigint, what text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (unit = ANY (loglist.writes())) IS NOT TRUE THEN
        RAISE EXCEPTION 'this unit is not for this reader to review'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN log.ask_message(loglist.token(), unit, outbox, place, what);
END
$$;
REVOKE ALL ON FUNCTION loglist.ask_archive(text, uuid, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.ask_archive(text, uuid, bigint, text) TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes the function that the web asks by."""

    dependencies: ClassVar = [("loglist", "0005_disclosure")]
    operations: ClassVar = [migrations.RunSQL(ASK, migrations.RunSQL.noop)]
