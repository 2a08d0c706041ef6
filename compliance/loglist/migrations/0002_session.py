"""Who may see and write which unit's rows of the log list's own tables, held by the database."""

from typing import ClassVar

from django.db import migrations

# The web says who reads by their token (`loglist.token`, set for each request). Functions of the
# owner say which units that gives; policies on the tables ask them, once a statement.
UNITS = """
-- It goes with the log's own session: when that is closed or has expired, nobody writes by it.
CREATE TABLE loglist.session (
    token_hash bytea   PRIMARY KEY REFERENCES log.session ON DELETE CASCADE,
    reviews    text[]  NOT NULL,
    everything boolean NOT NULL
);
COMMENT ON COLUMN loglist.session.reviews IS 'Units that they review: may write for.';
COMMENT ON COLUMN loglist.session.everything IS 'May write for all: the worker alone.';
REVOKE ALL ON loglist.session FROM kommunpost_web;
GRANT USAGE ON SCHEMA loglist TO kommunpost_login;
GRANT INSERT ON loglist.session TO kommunpost_login;

CREATE FUNCTION loglist.token() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(current_setting('loglist.token', true), '')
$$;

-- Whether the session reads all units, and which it reads else; nobody reads none.
CREATE FUNCTION loglist.reads_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN loglist.token() <> '' AND (log.session_of(loglist.token())).everything;
END
$$;
CREATE FUNCTION loglist.reads() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN loglist.token() = '' THEN '{}'
                ELSE (log.session_of(loglist.token())).units END;
END
$$;

-- The same for what the session may write.
CREATE FUNCTION loglist.writes_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN loglist.token() <> '' AND coalesce((
        SELECT s.everything FROM loglist.session AS s
        WHERE s.token_hash = (log.session_of(loglist.token())).token_hash), false);
END
$$;
CREATE FUNCTION loglist.writes() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN loglist.token() = '' THEN '{}' ELSE coalesce((
        SELECT s.reviews FROM loglist.session AS s
        WHERE s.token_hash = (log.session_of(loglist.token())).token_hash), '{}') END;
END
$$;

-- Hold a table with a column `unit` to that.
CREATE FUNCTION loglist.hold_to_units(held regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text := format('loglist.%I', (SELECT relname FROM pg_class WHERE oid = held));
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY reads ON %s FOR SELECT USING
        ((SELECT loglist.reads_all()) OR unit = ANY ((SELECT loglist.reads())::text[]))', name);
    EXECUTE format('CREATE POLICY adds ON %s FOR INSERT WITH CHECK
        ((SELECT loglist.writes_all()) OR unit = ANY ((SELECT loglist.writes())::text[]))', name);
    EXECUTE format('CREATE POLICY changes ON %s FOR UPDATE USING
        ((SELECT loglist.writes_all()) OR unit = ANY ((SELECT loglist.writes())::text[]))', name);
    EXECUTE format('CREATE POLICY removes ON %s FOR DELETE USING
        ((SELECT loglist.writes_all()) OR unit = ANY ((SELECT loglist.writes())::text[]))', name);
END
$$;
REVOKE ALL ON FUNCTION loglist.hold_to_units(regclass) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    """Makes the session's rights and the functions that tell them."""

    dependencies: ClassVar = [("loglist", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(UNITS, migrations.RunSQL.noop)]
