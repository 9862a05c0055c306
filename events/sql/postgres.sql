-- One ledger's log in PostgreSQL. Every statement runs with search_path set to the
-- ledger's schema and henji.ledger to its name; %b is a parameter in binary. Nothing here
-- changes or removes a row; the tables are made by postgres_schema.sql.
--
-- log_key has (id, source, stream, version, position) of every entry: a table where
-- log_entry is partitioned, a view of it where it is not. One SQL serves both layouts.

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
SELECT e.* FROM log_key k JOIN log_entry e USING (position)
WHERE k.id = %b AND k.source = %b

-- name: find_id
SELECT e.* FROM log_key k JOIN log_entry e USING (position)
WHERE k.id = %b ORDER BY k.position LIMIT %b

-- name: find_many
SELECT e.* FROM unnest(%b::text[], %b::text[]) AS asked (source, id)
JOIN log_key k ON k.id = asked.id AND k.source = asked.source
JOIN log_entry e ON e.position = k.position

-- name: stream
SELECT e.* FROM log_key k JOIN log_entry e USING (position)
WHERE k.stream = %b AND k.version > %b ORDER BY k.version LIMIT %b

-- name: streams
SELECT * FROM log_entry WHERE stream = ANY(%b::text[]) ORDER BY position

-- name: versions
SELECT k.stream, e.version FROM unnest(%b::text[]) AS k (stream)
CROSS JOIN LATERAL (
    SELECT version FROM log_key l WHERE l.stream = k.stream
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

-- name: bound
SELECT log_bound(), partition_rows FROM log_layout

-- name: extend
SELECT extend_log(%b)
