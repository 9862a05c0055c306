-- name: schema
-- Three insert-only tables. `entry` is the truth; every other column is an index of it.
-- `henji verify` compares them. Instants are integer microseconds since the Unix epoch.
CREATE TABLE IF NOT EXISTS log_entry (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    stream   TEXT    NOT NULL CHECK (length(stream) > 0),
    version  INTEGER NOT NULL CHECK (version > 0),
    type     TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    occurred INTEGER NOT NULL,
    ingested INTEGER NOT NULL,
    leaf     BLOB    NOT NULL CHECK (length(leaf) = 32),
    entry    BLOB    NOT NULL CHECK (length(entry) <= 65535)
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS log_entry_stream ON log_entry (stream, version);
CREATE UNIQUE INDEX IF NOT EXISTS log_entry_submission ON log_entry (id, source);
CREATE INDEX IF NOT EXISTS log_entry_type ON log_entry (type);
CREATE INDEX IF NOT EXISTS log_entry_source ON log_entry (source);
CREATE INDEX IF NOT EXISTS log_entry_occurred ON log_entry (occurred, type);
CREATE TABLE IF NOT EXISTS log_node (
    level INTEGER NOT NULL CHECK (level > 0),
    idx   INTEGER NOT NULL CHECK (idx >= 0),
    hash  BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log_root (
    size     INTEGER PRIMARY KEY CHECK (size > 0),
    root     BLOB    NOT NULL CHECK (length(root) = 32),
    ingested INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS log_root_ingested ON log_root (ingested);
CREATE TRIGGER IF NOT EXISTS log_entry_no_update BEFORE UPDATE ON log_entry
BEGIN SELECT RAISE(ABORT, 'log_entry is insert-only'); END;
CREATE TRIGGER IF NOT EXISTS log_entry_no_delete BEFORE DELETE ON log_entry
BEGIN SELECT RAISE(ABORT, 'log_entry is insert-only'); END;
CREATE TRIGGER IF NOT EXISTS log_node_no_update BEFORE UPDATE ON log_node
BEGIN SELECT RAISE(ABORT, 'log_node is insert-only'); END;
CREATE TRIGGER IF NOT EXISTS log_node_no_delete BEFORE DELETE ON log_node
BEGIN SELECT RAISE(ABORT, 'log_node is insert-only'); END;
CREATE TRIGGER IF NOT EXISTS log_root_no_update BEFORE UPDATE ON log_root
BEGIN SELECT RAISE(ABORT, 'log_root is insert-only'); END;
CREATE TRIGGER IF NOT EXISTS log_root_no_delete BEFORE DELETE ON log_root
BEGIN SELECT RAISE(ABORT, 'log_root is insert-only'); END;

-- name: head
SELECT size, root, ingested FROM log_root ORDER BY size DESC LIMIT 1

-- name: row
SELECT * FROM log_entry WHERE position = ?

-- name: rows
SELECT * FROM log_entry WHERE position > ? ORDER BY position LIMIT ?

-- name: replay
SELECT position, occurred, ingested, entry FROM log_entry
WHERE position > ? ORDER BY position LIMIT ?

-- name: find
SELECT * FROM log_entry WHERE id = ? AND source = ?

-- name: find_id
SELECT * FROM log_entry WHERE id = ? ORDER BY position LIMIT ?

-- name: find_many
SELECT e.* FROM json_each(?) AS k
JOIN log_entry AS e ON e.id = k.value ->> 1 AND e.source = k.value ->> 0

-- name: stream
SELECT * FROM log_entry WHERE stream = ? AND version > ? ORDER BY version LIMIT ?

-- name: streams
SELECT e.* FROM json_each(?) AS k JOIN log_entry AS e ON e.stream = k.value
ORDER BY e.position

-- name: versions
SELECT k.value, (SELECT max(version) FROM log_entry WHERE stream = k.value)
FROM json_each(?) AS k

-- name: leaves
SELECT leaf FROM log_entry WHERE position > ? AND position <= ? ORDER BY position

-- name: entries
SELECT entry FROM log_entry WHERE position > ? AND position <= ? ORDER BY position

-- name: leaf_hashes
SELECT e.position - 1, e.leaf FROM json_each(?) AS k
JOIN log_entry AS e ON e.position = k.value + 1

-- name: node_hashes
SELECT n.level, n.idx, n.hash FROM json_each(?) AS k
JOIN log_node AS n ON n.level = k.value ->> 0 AND n.idx = k.value ->> 1

-- name: root_at
SELECT size, root, ingested FROM log_root WHERE size = ?

-- name: root_covering
SELECT size, root, ingested FROM log_root WHERE size >= ? ORDER BY size LIMIT 1

-- name: position_at
SELECT size FROM log_root WHERE ingested <= ? ORDER BY ingested DESC, size DESC LIMIT 1

-- name: nodes
SELECT level, idx, hash FROM log_node ORDER BY level, idx

-- name: roots
SELECT size, root, ingested FROM log_root ORDER BY size

-- name: insert_entry
INSERT INTO log_entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_node
INSERT INTO log_node VALUES (?, ?, ?)

-- name: insert_root
INSERT INTO log_root VALUES (?, ?, ?)
