"""Questions to officials: the letters about them, and answers by nobody but whoever was asked."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

RIGHTS = """
SELECT loglist.hold_to_units('loglist.loglist_doubtletter');
SELECT loglist.hold_to_units('loglist.loglist_doubtanswer');
CREATE POLICY worker_adds ON loglist.loglist_doubtletter AS RESTRICTIVE FOR INSERT
    WITH CHECK ((SELECT loglist.writes_all()));
REVOKE UPDATE, DELETE, TRUNCATE ON loglist.loglist_doubtletter FROM kommunpost_web;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON loglist.loglist_doubtanswer FROM kommunpost_web;

-- A doubt ends in a reasoned outcome, whichever page it is made on.
CREATE FUNCTION loglist.reasoned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.outcome <> 'doubt' AND btrim(NEW.reason) = '' AND EXISTS (
        SELECT FROM loglist.loglist_reviewitem AS i
        WHERE i.id = NEW.item_id AND i.outcome = 'doubt' AND i.revision = NEW.revision - 1)
    THEN
        RAISE EXCEPTION 'row % is in doubt, and the decision gives no reason', NEW.item_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER reasoned BEFORE INSERT ON loglist.loglist_reviewdecision
    FOR EACH ROW EXECUTE FUNCTION loglist.reasoned();

-- Whoever is asked reviews no unit: these functions show them their own questions and no others.
-- The questions that were put to whoever reads. is_open: the row is still in doubt by it.
CREATE FUNCTION loglist.questions() RETURNS TABLE (
    number bigint, unit text, asker text, asked_at timestamptz, question text,
    accepted_at timestamptz, direction text, is_open boolean, answered_at timestamptz,
    kind text, matter text, words text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who text := (log.session_of(loglist.token())).reader;
BEGIN
    RETURN QUERY
    SELECT d.id, d.unit::text, d.reviewer_name::text, d.at, d.question::text, i.accepted_at,
        i.direction::text, i.revision = d.revision, a.at, a.kind::text, a.matter::text,
        a.words::text
    FROM loglist.loglist_reviewdecision AS d
    JOIN loglist.loglist_reviewitem AS i ON i.id = d.item_id
    LEFT JOIN loglist.loglist_doubtanswer AS a ON a.doubt_id = d.id
    WHERE d.asked = who AND d.asked <> '' AND d.outcome = 'doubt'
    ORDER BY d.id DESC;
END
$$;

-- Ask to see the message's row in the log, while its question is open; return the number that the
-- reading goes by. It must be committed first, as any reading (log.ask).
CREATE FUNCTION loglist.ask_question(doubt bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
    made bigint;
BEGIN
    INSERT INTO log.reading (token_hash, reader, name, action, unit, filter)
    SELECT who.token_hash, who.reader, who.name, 'message', i.unit, jsonb_build_object(
        'unit', i.unit, 'outbox', i.outbox, 'sequence', i.sequence, 'what', 'question')
    FROM loglist.loglist_reviewdecision AS d
    JOIN loglist.loglist_reviewitem AS i ON i.id = d.item_id AND i.revision = d.revision
    WHERE d.id = doubt AND d.asked = who.reader AND d.outcome = 'doubt'
    RETURNING number INTO made;
    IF made IS NULL THEN
        RAISE EXCEPTION 'this is not for % to read', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN made;
END
$$;

-- The row that was asked for; none if it was disposed of.
CREATE FUNCTION loglist.question_entry(reading bigint) RETURNS SETOF log.listed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked log.reading := log.asked(loglist.token(), reading);
BEGIN
    IF asked.action <> 'message' OR asked.filter ->> 'what' IS DISTINCT FROM 'question' THEN
        RAISE EXCEPTION 'a question is not what was asked for'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT listed.*
    FROM log.entry AS e CROSS JOIN LATERAL log.listed_of(e) AS listed
    WHERE e.outbox_id = (asked.filter ->> 'outbox')::uuid
      AND e.sequence = (asked.filter ->> 'sequence')::bigint
      AND (e.recipient_unit = asked.unit OR e.sender_unit = asked.unit);
    IF FOUND THEN
        INSERT INTO log.reading_page (reading, rows) VALUES (asked.number, 1);
    END IF;
END
$$;

-- Answer a question, once, in the name of whoever is logged in. False if it has an answer.
CREATE FUNCTION loglist.answer_question(doubt bigint, kind text, matter text, words text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who log.session := log.session_of(loglist.token());
    asked_in text;
BEGIN
    SELECT i.unit INTO asked_in
    FROM loglist.loglist_reviewdecision AS d
    JOIN loglist.loglist_reviewitem AS i ON i.id = d.item_id AND i.revision = d.revision
    WHERE d.id = doubt AND d.asked = who.reader AND d.outcome = 'doubt'
    FOR SHARE OF i;
    IF asked_in IS NULL THEN
        RAISE EXCEPTION 'this is not for % to answer', who.reader
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO loglist.loglist_doubtanswer
        (doubt_id, unit, by, by_name, at, kind, matter, words)
    VALUES (doubt, asked_in, who.reader, who.name, now(), kind, matter, words)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;
REVOKE ALL ON FUNCTION loglist.questions(), loglist.ask_question(bigint),
    loglist.question_entry(bigint), loglist.answer_question(bigint, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION loglist.questions(), loglist.ask_question(bigint),
    loglist.question_entry(bigint), loglist.answer_question(bigint, text, text, text)
    TO kommunpost_web;
"""


class Migration(migrations.Migration):
    """Makes their tables, and says who may do what."""

    dependencies: ClassVar = [("loglist", "0010_review_hold")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="reviewdecision",
            index=models.Index(
                fields=["asked"], name="review_decision_asked", condition=~models.Q(asked="")
            ),
        ),
        migrations.CreateModel(
            name="DoubtLetter",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "doubt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="letters",
                        to="loglist.reviewdecision",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("step", models.CharField(max_length=16)),
                ("day", models.DateField()),
                ("to", models.CharField(max_length=320)),
                ("message_id", models.CharField(max_length=320)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["doubt", "step"], name="doubt_letter_step")
                ],
            },
        ),
        migrations.CreateModel(
            name="DoubtAnswer",
            fields=[
                (
                    "doubt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="answer",
                        serialize=False,
                        to="loglist.reviewdecision",
                    ),
                ),
                ("unit", models.CharField(max_length=255)),
                ("by", models.CharField(max_length=64)),
                ("by_name", models.CharField(max_length=200)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=16)),
                ("matter", models.CharField(max_length=64)),
                ("words", models.CharField(max_length=4000)),
            ],
        ),
        migrations.RunSQL(RIGHTS, migrations.RunSQL.noop),
    ]
