-- Statements on one table p_<n>. {table} and {features} are made from integers only (p_1; f_0, f_1, …): the name of a
-- model or of a feature never enters SQL.

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

-- name: count
-- How many predictions there are.
SELECT count(*) FROM {table}

-- name: count_window
-- How many predictions a window has.
SELECT count(*) FROM {table} WHERE id > :after AND id <= :last AND ts >= :start AND ts < :end

-- name: find
-- One prediction by its id.
SELECT version, ts FROM {table} WHERE id = :id
