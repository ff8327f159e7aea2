-- name: find_table
-- The table of a model under a schema, with its skew.
SELECT n, skew_ms FROM feature_schema WHERE model = :model AND hash = :hash

-- name: add_table
-- Give a model's schema the next number; another process may have done so first.
INSERT INTO feature_schema (model, hash, spec) VALUES (:model, :hash, :spec)

-- name: raise_skew
-- Widen what a window must read beyond its own ids.
UPDATE feature_schema SET skew_ms = max(skew_ms, :skew_ms) WHERE n = :n

-- name: tables_of
-- Every table of a model, with its skew.
SELECT n, skew_ms FROM feature_schema WHERE model = :model ORDER BY n

-- name: all_tables
-- Every table of every model.
SELECT n, model FROM feature_schema ORDER BY n

-- name: known_outcome
-- What is known of one prediction's outcome.
SELECT outcome, observed_at FROM label WHERE id = :id AND model = :model

-- name: put_outcome
-- Keep an outcome in place of the one before; which one wins was decided before, under the same lock.
INSERT INTO label (id, model, outcome, observed_at, received_at)
VALUES (:id, :model, :outcome, :observed_at, :received_at)
ON CONFLICT (id, model) DO UPDATE SET
  outcome = excluded.outcome, observed_at = excluded.observed_at, received_at = excluded.received_at

-- name: probe
-- Write one number, durably like everything else.
UPDATE probe SET n = n + 1

-- name: put_replay
-- Keep an answer under its key; only an expired one can be there, which goes.
INSERT OR REPLACE INTO replay (key, request_digest, response, content_type, at) VALUES (?, ?, ?, ?, ?)

-- name: find_replay
-- The answer under a key, if it is young enough.
SELECT key, request_digest, response, content_type FROM replay WHERE key = :key AND at > :after

-- name: purge_replays
-- Delete some of what has expired, looking at the oldest only.
DELETE FROM replay WHERE seq IN (
  SELECT seq FROM (SELECT seq, at FROM replay ORDER BY seq LIMIT :limit) WHERE at <= :until
)
