-- The log's fixed tables; the predictions themselves live in p_<n>, one per row of feature_schema (table.sql).

-- Which table holds the predictions of a model under a feature schema.
-- spec says which feature each column f_<i> is. skew_ms is the largest distance between the time inside an id and the
-- time of its record (a clock that stepped back): a window reads that much further in the id index.
CREATE TABLE feature_schema (
  n INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  hash TEXT NOT NULL,
  spec TEXT NOT NULL,
  skew_ms INTEGER NOT NULL DEFAULT 0,
  UNIQUE (model, hash)
) STRICT;

-- Outcomes, one per prediction. No foreign key: an outcome may come before its prediction.
-- observed_at is null when nobody said when the outcome was seen; times are microseconds since 1970, UTC.
CREATE TABLE label (
  id BLOB NOT NULL,
  model TEXT NOT NULL,
  outcome TEXT NOT NULL,
  observed_at INTEGER,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (id, model)
) STRICT, WITHOUT ROWID;

-- Outcomes are judged when they arrive; arrivals grow with time, so this index is written at its end.
CREATE INDEX label_received ON label (model, received_at);

-- One number that a health check really writes.
CREATE TABLE probe (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  n INTEGER NOT NULL
) STRICT;

INSERT INTO probe (one, n) VALUES (1, 0);
