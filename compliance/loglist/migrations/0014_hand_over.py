"""The holder of a mailbox hands a message over, when asked about it."""

from typing import ClassVar

from django.db import migrations

HAND_OVER = """
-- Hand over the message of one's own open question; return the number by which the archive's host
-- fetches it. An error for whoever was not asked.
CREATE FUNCTION loglist.hand_over(doubt bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
    item loglist.loglist_reviewitem;
BEGIN
    SELECT i.* INTO item
    FROM loglist.loglist_reviewdecision AS d
    JOIN loglist.loglist_reviewitem AS i ON i.id = d.item_id AND i.revision = d.revision
    WHERE d.id = doubt AND d.asked = who.reader AND d.outcome = 'doubt';
    IF item.id IS NULL THEN
        RAISE EXCEPTION 'this is not for % to hand over', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN log.ask_addition(loglist.token(), item.unit, item.outbox, item.sequence);
END
$$;
REVOKE ALL ON FUNCTION loglist.hand_over(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.hand_over(bigint) TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes the function that the web hands over by."""

    dependencies: ClassVar = [("loglist", "0013_absence")]
    operations: ClassVar = [migrations.RunSQL(HAND_OVER, migrations.RunSQL.noop)]
