-- One ledger's log in PostgreSQL. Every statement runs with search_path set to the
-- ledger's schema; %b is a parameter in binary. Nothing here changes or removes a row,
-- and nothing grants a privilege (events/postgres_schema.py does).

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

-- name: head
SELECT size, root, ingested FROM log_root ORDER BY size DESC LIMIT 1

-- name: rows
SELECT * FROM log_entry WHERE position > %b ORDER BY position LIMIT %b

-- name: replay
SELECT position, occurred, ingested, entry FROM log_entry
WHERE position > %b ORDER BY position LIMIT %b

-- name: row
SELECT * FROM log_entry WHERE position = %b

-- name: find
SELECT * FROM log_entry WHERE id = %b AND source = %b

-- name: find_id
SELECT * FROM log_entry WHERE id = %b ORDER BY position LIMIT %b

-- name: find_many
SELECT e.* FROM unnest(%b::text[], %b::text[]) AS k (source, id)
JOIN log_entry e ON e.id = k.id AND e.source = k.source

-- name: stream
SELECT * FROM log_entry WHERE stream = %b AND version > %b ORDER BY version LIMIT %b

-- name: streams
SELECT * FROM log_entry WHERE stream = ANY(%b::text[]) ORDER BY position

-- name: versions
SELECT k.stream, e.version FROM unnest(%b::text[]) AS k (stream)
CROSS JOIN LATERAL (
    SELECT version FROM log_entry l WHERE l.stream = k.stream
    ORDER BY version DESC LIMIT 1
) e

-- name: hashes
SELECT 0::smallint, position - 1, leaf FROM log_entry WHERE position = ANY(%b::bigint[])
UNION ALL
SELECT n.level, n.idx, n.hash FROM unnest(%b::smallint[], %b::bigint[]) AS k (level, idx)
JOIN log_node n ON n.level = k.level AND n.idx = k.idx

-- name: leaves
SELECT leaf FROM log_entry WHERE position > %b AND position <= %b ORDER BY position

-- name: entries
SELECT entry FROM log_entry WHERE position > %b AND position <= %b ORDER BY position

-- name: root_at
SELECT size, root, ingested FROM log_root WHERE size = %b

-- name: root_covering
SELECT size, root, ingested FROM log_root WHERE size >= %b ORDER BY size LIMIT 1

-- name: position_at
SELECT size FROM log_root WHERE ingested <= %b ORDER BY ingested DESC, size DESC LIMIT 1

-- name: nodes
SELECT level, idx, hash FROM log_node WHERE (level, idx) > (%b::smallint, %b::bigint)
ORDER BY level, idx LIMIT %b

-- name: roots
SELECT size, root, ingested FROM log_root WHERE size > %b ORDER BY size LIMIT %b

-- name: insert
WITH inserted AS (
    INSERT INTO log_entry
    SELECT * FROM unnest(
        %b::bigint[], %b::text[], %b::bigint[], %b::text[], %b::text[],
        %b::text[], %b::bigint[], %b::bigint[], %b::bytea[], %b::bytea[]
    )
), sealed AS (
    INSERT INTO log_node SELECT * FROM unnest(%b::smallint[], %b::bigint[], %b::bytea[])
)
INSERT INTO log_root VALUES (%b, %b, %b)
