-- Counts of predictions by hour, kept so that nobody who asks about a month reads its rows.

-- One version's counts under one tally (digest: what counts, and how). seq is the watermark: the rows of p_<n> up to it
-- are counted, each once, or wait in an hour without content. revision changes whenever counted rows are deleted.
CREATE TABLE count_series (
  id INTEGER PRIMARY KEY,
  n INTEGER NOT NULL,
  version TEXT NOT NULL,
  digest BLOB NOT NULL,
  seq INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0,
  UNIQUE (n, version, digest)
) STRICT;

-- hour counts from 1970, UTC. content is the tally's own; null when rows of the hour were deleted: it is counted anew
-- before anybody reads it.
CREATE TABLE hour_count (
  series INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  content BLOB,
  UNIQUE (series, hour)
) STRICT;
