-- How a ledger's tables come to be in PostgreSQL, run by the owner of the schema with
-- search_path set to it. A migration, once released, is never edited: the next change is
-- the next number. What a role may do is granted by events/postgres_roles.py.

-- name: migration_1
-- A migration, once released, is never edited: the next change is migration_2.
CREATE TABLE log_entry (
    position bigint PRIMARY KEY CHECK (position > 0),
    -- "C": byte order, so that a prefix is a range of the index, on every platform.
    stream   text COLLATE "C" NOT NULL CHECK (stream <> ''),
    version  bigint NOT NULL CHECK (version > 0),
    type     text COLLATE "C" NOT NULL CHECK (type <> ''),
    source   text COLLATE "C" NOT NULL CHECK (source <> ''),
    id       text COLLATE "C" NOT NULL CHECK (id <> ''),
    occurred bigint NOT NULL,
    ingested bigint NOT NULL,
    leaf     bytea NOT NULL CHECK (octet_length(leaf) = 32),
    entry    bytea NOT NULL CHECK (octet_length(entry) BETWEEN 1 AND 65535),
    CONSTRAINT log_entry_stream_version UNIQUE (stream, version),
    -- id first: it also serves the search by id alone.
    CONSTRAINT log_entry_source_id UNIQUE (id, source)
);
CREATE INDEX log_entry_type ON log_entry (type, position);
CREATE INDEX log_entry_source ON log_entry (source, position);
CREATE INDEX log_entry_stream ON log_entry (stream, position);

CREATE TABLE log_node (
    level smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
    idx   bigint NOT NULL CHECK (idx >= 0),
    hash  bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, idx)
);

CREATE TABLE log_root (
    size     bigint PRIMARY KEY CHECK (size > 0),
    root     bytea NOT NULL CHECK (octet_length(root) = 32),
    ingested bigint NOT NULL
);
CREATE INDEX log_root_ingested ON log_root (ingested, size);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the log is insert-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

-- ALWAYS: else a session with session_replication_role = replica would skip them.
CREATE TRIGGER log_entry_change BEFORE UPDATE OR DELETE ON log_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_entry_truncate BEFORE TRUNCATE ON log_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_node_change BEFORE UPDATE OR DELETE ON log_node
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_node_truncate BEFORE TRUNCATE ON log_node
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_root_change BEFORE UPDATE OR DELETE ON log_root
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_root_truncate BEFORE TRUNCATE ON log_root
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_change;
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_truncate;
ALTER TABLE log_node ENABLE ALWAYS TRIGGER log_node_change;
ALTER TABLE log_node ENABLE ALWAYS TRIGGER log_node_truncate;
ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_change;
ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_truncate;

-- name: migration_2
-- Expands only: what the release before runs goes on as it did.
CREATE TABLE log_layout (
    one            boolean PRIMARY KEY DEFAULT true CHECK (one),
    partition_rows bigint CHECK (partition_rows > 0)
);
COMMENT ON COLUMN log_layout.partition_rows IS 'NULL: log_entry is one table';
INSERT INTO log_layout VALUES (true, NULL);

CREATE TABLE log_role (
    duty text NOT NULL CHECK (duty IN ('writer', 'projector', 'reader')),
    role text NOT NULL,
    PRIMARY KEY (duty, role)
);

CREATE VIEW log_key WITH (security_invoker = true) AS
SELECT id, source, stream, version, position FROM log_entry;

CREATE FUNCTION log_bound() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), $re$TO \('(\d+)'\)$re$))[1]::bigint)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'log_entry'::regclass
$$;
COMMENT ON FUNCTION log_bound IS
    'the first position that no partition takes; NULL: log_entry is one table';

-- name: migration_3
-- Expands only. What happened then is found by this, however far back in the log it is.
CREATE INDEX log_entry_occurred ON log_entry (occurred, type, position);

-- name: partition
-- Not a migration: it changes how a ledger is laid out, after which the release before
-- it is refused. No row of the log is written again; log_key is filled from the rows.
DROP VIEW log_key;
CREATE TABLE log_key (
    id       text COLLATE "C" NOT NULL,
    source   text COLLATE "C" NOT NULL,
    stream   text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    position bigint NOT NULL
);
-- A unique index of a partitioned table would have to contain the position: these two,
-- which hold for the whole log, are on a table that is not partitioned.
INSERT INTO log_key SELECT id, source, stream, version, position FROM log_entry;
ALTER TABLE log_key
    ADD CONSTRAINT log_key_id_source PRIMARY KEY (id, source),
    ADD CONSTRAINT log_key_stream_version UNIQUE (stream, version);
CREATE TRIGGER log_key_change BEFORE UPDATE OR DELETE ON log_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_key_truncate BEFORE TRUNCATE ON log_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE log_key ENABLE ALWAYS TRIGGER log_key_change;
ALTER TABLE log_key ENABLE ALWAYS TRIGGER log_key_truncate;

ALTER TABLE log_entry DROP CONSTRAINT log_entry_stream_version;
ALTER TABLE log_entry DROP CONSTRAINT log_entry_source_id;
-- The parent's triggers come back with the partition.
DROP TRIGGER log_entry_change ON log_entry;
DROP TRIGGER log_entry_truncate ON log_entry;
ALTER TABLE log_entry RENAME TO log_entry_1;
ALTER INDEX log_entry_pkey RENAME TO log_entry_1_pkey;
ALTER INDEX log_entry_type RENAME TO log_entry_1_type;
ALTER INDEX log_entry_source RENAME TO log_entry_1_source;
ALTER INDEX log_entry_stream RENAME TO log_entry_1_stream;
ALTER INDEX log_entry_occurred RENAME TO log_entry_1_occurred;
CREATE TABLE log_entry (LIKE log_entry_1 INCLUDING CONSTRAINTS)
    PARTITION BY RANGE (position);
ALTER TABLE log_entry ADD PRIMARY KEY (position);
CREATE INDEX log_entry_type ON log_entry (type, position);
CREATE INDEX log_entry_source ON log_entry (source, position);
CREATE INDEX log_entry_stream ON log_entry (stream, position);
CREATE INDEX log_entry_occurred ON log_entry (occurred, type, position);
CREATE TRIGGER log_entry_change BEFORE UPDATE OR DELETE ON log_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER log_entry_truncate BEFORE TRUNCATE ON log_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_change;
ALTER TABLE log_entry ENABLE ALWAYS TRIGGER log_entry_truncate;

-- Binds rows to a session that has opened this ledger, the owner's too (FORCE), and
-- takes back what default privileges may have given.
CREATE FUNCTION bind_rows(target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    grantee text;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY ledger ON %s USING (current_setting(''henji.ledger'', true) = %L)',
        target, (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = target)
    );
    FOR grantee IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = target AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', target, grantee);
    END LOOP;
END $$;

CREATE FUNCTION attach_partition(target regclass, bound_from bigint, bound_to bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE log_entry ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%s)',
        target, bound_from, bound_to
    );
    -- Guards of the parent are passed by whoever names the partition itself.
    EXECUTE format(
        'CREATE TRIGGER log_entry_truncate BEFORE TRUNCATE ON %s'
        ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', target
    );
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER log_entry_change', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER log_entry_truncate', target);
    PERFORM bind_rows(target);
END $$;

-- Adds partitions until a whole one lies beyond position `needed`; returns log_bound().
CREATE FUNCTION extend_log(needed bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    width bigint := (SELECT partition_rows FROM log_layout);
    bound bigint;
    name  text;
BEGIN
    IF needed > coalesce((SELECT max(size) FROM log_root), 0) + 100000 THEN
        RAISE EXCEPTION 'position % is far beyond the log', needed
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- Conflicts with itself and with ATTACH, not with reading or inserting.
    LOCK TABLE log_entry IN SHARE UPDATE EXCLUSIVE MODE;
    bound := log_bound();
    WHILE bound <= needed + width LOOP
        name := format('%I.%I', current_schema(), 'log_entry_' || bound);
        EXECUTE format(
            'CREATE TABLE %s (LIKE log_entry INCLUDING CONSTRAINTS INCLUDING INDEXES)',
            name
        );
        PERFORM attach_partition(name::regclass, bound, bound + width);
        bound := bound + width;
    END LOOP;
    RETURN bound;
END $$;

-- A root covers exactly the positions since the root before it: no gap, and none left
-- out of log_key. As its owner: the writer itself cannot write keys.
CREATE FUNCTION cover_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    sizes   bigint[] := ARRAY(SELECT size FROM log_root ORDER BY size DESC LIMIT 2);
    before  bigint := coalesce(sizes[2], 0);
    covered bigint;
BEGIN
    INSERT INTO log_key SELECT id, source, stream, version, position FROM log_entry
        WHERE position > before AND position <= NEW.size;
    GET DIAGNOSTICS covered = ROW_COUNT;
    IF sizes[1] <> NEW.size OR covered <> NEW.size - before THEN
        RAISE EXCEPTION 'the root of size % covers % entries after size %',
            NEW.size, covered, before
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER log_root_cover AFTER INSERT ON log_root
    FOR EACH ROW EXECUTE FUNCTION cover_batch();
ALTER TABLE log_root ENABLE ALWAYS TRIGGER log_root_cover;

DO $$
DECLARE
    width bigint := (SELECT partition_rows FROM log_layout);
    head  bigint := coalesce((SELECT max(position) FROM log_entry_1), 0);
    one   text;
BEGIN
    FOREACH one IN ARRAY ARRAY['log_bound()', 'extend_log(bigint)', 'cover_batch()'] LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema()
        );
    END LOOP;
    FOREACH one IN ARRAY ARRAY['log_entry', 'log_key', 'log_node', 'log_root'] LOOP
        PERFORM bind_rows(one::regclass);
    END LOOP;
    PERFORM attach_partition('log_entry_1', 1, (head / width + 1) * width + 1);
    PERFORM extend_log(head + 1);
END $$;
-- A wait behind an administrator's ANALYZE must not hold up the append it is part of.
ALTER FUNCTION extend_log(bigint) SET lock_timeout = '1s';
