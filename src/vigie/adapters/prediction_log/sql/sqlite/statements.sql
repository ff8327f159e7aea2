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

-- name: horizon
-- Before when everything was deleted.
SELECT before FROM horizon

-- name: raise_horizon
-- Say before when everything is deleted, never less than was said already.
INSERT INTO horizon (one, before) VALUES (1, :before)
ON CONFLICT (one) DO UPDATE SET before = max(before, excluded.before)

-- name: tables_with_spec
-- Every table of a model, with what its columns mean.
SELECT n, skew_ms, spec FROM feature_schema WHERE model = :model ORDER BY n

-- name: skew_of_all
-- Every table of every model, with its skew.
SELECT n, model, skew_ms FROM feature_schema ORDER BY n

-- name: old_outcomes
-- Outcomes that arrived before a time, the oldest first; most belong to no prediction any more.
SELECT id, received_at FROM label
WHERE model = :model AND (received_at, id) > (:after_at, :after_id) AND received_at < :before
ORDER BY received_at, id LIMIT :limit

-- name: delete_outcome
-- Delete one outcome.
DELETE FROM label WHERE id = :id AND model = :model

-- name: outcomes_of
-- The outcomes of one prediction, whatever model they were sent for.
SELECT 1 FROM label WHERE id = ?

-- name: delete_outcomes_of
-- Delete the outcomes of one prediction, whatever model they were sent for.
DELETE FROM label WHERE id = ?

-- name: replays
-- Every answer under a key, with the time it was kept.
SELECT seq, key, response, at FROM replay

-- name: delete_replay
-- Delete one answer under a key.
DELETE FROM replay WHERE seq = ?

-- name: add_series
-- Begin the counts of a version under a tally; another process may have done so first.
INSERT OR IGNORE INTO count_series (n, version, digest) VALUES (:n, :version, :digest)

-- name: find_series
-- How far a version is counted under a tally.
SELECT id, seq, revision FROM count_series WHERE n = :n AND version = :version AND digest = :digest

-- name: move_watermark
-- Say that rows are counted up to a place, unless somebody else counted or deleted meanwhile.
UPDATE count_series SET seq = :seq WHERE id = :id AND seq = :before AND revision = :revision

-- name: stale_hours
-- The next hours to be counted anew.
SELECT hour FROM hour_count WHERE series = :id AND content IS NULL ORDER BY hour LIMIT :limit

-- name: hour_content
-- One hour's counts.
SELECT rows, content FROM hour_count WHERE series = :id AND hour = :hour

-- name: put_hour
-- Keep an hour's counts in place of the ones before.
INSERT INTO hour_count (series, hour, rows, content) VALUES (:id, :hour, :rows, :content)
ON CONFLICT (series, hour) DO UPDATE SET rows = excluded.rows, content = excluded.content

-- name: drop_hour
-- Forget an hour that holds no row any more.
DELETE FROM hour_count WHERE series = :id AND hour = :hour

-- name: hours
-- The counts of some hours, oldest first.
SELECT hour, rows, content FROM hour_count WHERE series = :id AND hour >= :first AND hour < :end ORDER BY hour

-- name: stale_hour
-- Empty an hour of whose rows some are being deleted, under every version and tally.
UPDATE hour_count SET rows = 0, content = NULL
WHERE hour = :hour AND series IN (SELECT id FROM count_series WHERE n = :n)

-- name: revise
-- Tell whoever is counting a table's rows that some of them are gone.
UPDATE count_series SET revision = revision + 1 WHERE n = :n
