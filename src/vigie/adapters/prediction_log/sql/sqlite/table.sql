-- Statements on one table p_<n>. {table} and {features} are made from integers only (p_1; f_0, f_1, …), {column} is one
-- of ours: the name of a model or of a feature never enters SQL.

-- name: create
-- seq grows with every commit and is never reused (AUTOINCREMENT), so a consumer can keep a watermark in it. id is a
-- version 7 UUID from the server: its unique index is the time index too. No further index: one on entity costs ×9 in
-- written bytes.
CREATE TABLE {table} (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  ts INTEGER NOT NULL,
  version TEXT NOT NULL,
  variant TEXT,
  entity TEXT,
  latency_us INTEGER,
  value REAL,
  label TEXT,
  probas TEXT{features}
) STRICT

-- name: insert
-- Keep predictions: a bracket of marks for each.
INSERT INTO {table} (id, ts, version, variant, entity, latency_us, value, label, probas{features})
VALUES {rows}

-- name: read
-- The next predictions of a window, oldest first, with their outcomes. The id range uses the index, ts is the truth.
SELECT p.id, p.ts, p.version, p.entity, p.latency_us, p.value, p.label, p.probas,
  l.outcome, l.observed_at, l.received_at{features}
FROM {table} AS p LEFT JOIN label AS l ON l.id = p.id AND l.model = :model
WHERE p.id > :after AND p.id <= :last AND p.ts >= :start AND p.ts < :end
  AND (:version IS NULL OR p.version = :version)
ORDER BY p.id LIMIT :limit

-- name: read_received
-- The next predictions whose outcome arrived in a window, by when they were made, oldest first.
SELECT p.id, p.ts, p.version, p.entity, p.latency_us, p.value, p.label, p.probas,
  l.outcome, l.observed_at, l.received_at{features}
FROM label AS l JOIN {table} AS p ON p.id = l.id
WHERE l.model = :model AND l.received_at >= :start AND l.received_at < :end AND p.id > :after
  AND (:version IS NULL OR p.version = :version)
ORDER BY p.id LIMIT :limit

-- name: read_after
-- The next predictions of a version by their place, without outcomes.
SELECT p.id, p.ts, p.version, p.entity, p.latency_us, p.value, p.label, p.probas, NULL, NULL, NULL{features}, p.seq
FROM {table} AS p WHERE p.seq > :after AND p.seq <= :last AND p.version = :version
ORDER BY p.seq LIMIT :limit

-- name: read_counted
-- The next predictions of a version in a window, up to a place, without outcomes.
SELECT p.id, p.ts, p.version, p.entity, p.latency_us, p.value, p.label, p.probas, NULL, NULL, NULL{features}
FROM {table} AS p
WHERE p.id > :after AND p.id <= :last AND p.ts >= :start AND p.ts < :end AND p.seq <= :seq AND p.version = :version
ORDER BY p.id LIMIT :limit

-- name: count
-- How many predictions there are.
SELECT count(*) FROM {table}

-- name: count_window
-- How many predictions a window has.
SELECT count(*) FROM {table} WHERE id > :after AND id <= :last AND ts >= :start AND ts < :end

-- name: find
-- One prediction by its id.
SELECT version, ts FROM {table} WHERE id = :id

-- name: span
-- The first and the last id, null when there is none.
SELECT min(id), max(id) FROM {table}

-- name: fingerprint
-- What changes when rows of a window are added, deleted or labelled anew.
SELECT count(*), max(p.seq), count(l.id), max(l.received_at)
FROM {table} AS p LEFT JOIN label AS l ON l.id = p.id AND l.model = :model
WHERE p.id > :after AND p.id <= :last AND p.ts >= :start AND p.ts < :end

-- name: expire_outcomes
-- Delete the outcomes of the next predictions to be deleted.
DELETE FROM label WHERE model = :model AND id IN (
  SELECT id FROM {table} WHERE id <= :last AND ts < :before ORDER BY id LIMIT :limit
)

-- name: expire_times
-- When the next predictions to be deleted were made.
SELECT ts FROM {table} WHERE id <= :last AND ts < :before ORDER BY id LIMIT :limit

-- name: expire
-- Delete the next predictions made before a time, the oldest first.
DELETE FROM {table} WHERE seq IN (
  SELECT seq FROM {table} WHERE id <= :last AND ts < :before ORDER BY id LIMIT :limit
)

-- name: last_seq
-- The newest prediction's place.
SELECT max(seq) FROM {table}

-- name: first_seq
-- The oldest place after one; null when there is none.
SELECT min(seq) FROM {table} WHERE seq > :after

-- name: of_entity
-- An entity's predictions in a range of places.
SELECT seq, id, ts FROM {table} WHERE seq > :after AND seq <= :last AND entity = :entity

-- name: delete
-- Delete one prediction.
DELETE FROM {table} WHERE seq = ?

-- name: text_columns
-- The columns that can hold text.
SELECT name FROM pragma_table_info('{table}') WHERE type = 'TEXT'

-- name: occurrences
-- How often a text stands in a column, for one row ({column} is one of ours); as bytes, because length() of a text ends
-- at its first NUL.
CASE WHEN instr({column}, :text) THEN
  (length(CAST({column} AS BLOB)) - length(CAST(replace({column}, :text, '') AS BLOB))) / length(CAST(:text AS BLOB))
ELSE 0 END

-- name: all_occurrences
-- How often a text stands in several columns: their sum, in one pass.
SELECT coalesce(sum({each}), 0) FROM {table}
