-- What is published of the seal, and time stamps of a third party on it (RFC 3161).
-- Expects the role kommunpost_publisher besides those of 0002.

-- A time stamp on a statement's text covers all statements before it: each names the one before.
CREATE TABLE log.time_stamp (
    statement bigint PRIMARY KEY REFERENCES log.statement,
    token     bytea  NOT NULL
);
COMMENT ON COLUMN log.time_stamp.token IS 'TimeStampResp as the authority sent it (RFC 3161, 2.4.2).';
CREATE TRIGGER time_stamp_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON log.time_stamp
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- Who publishes stands on a host that the world reaches: it reads what is public and nothing else.
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO kommunpost_publisher', current_database());
END $$;
GRANT USAGE ON SCHEMA log TO kommunpost_publisher;
GRANT SELECT ON log.statement, log.time_stamp TO kommunpost_publisher;
GRANT SELECT ON log.time_stamp TO kommunpost_reader, kommunpost_sealer;
GRANT INSERT ON log.time_stamp TO kommunpost_sealer;
