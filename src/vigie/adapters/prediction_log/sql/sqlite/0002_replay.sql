-- Answers kept for a day under a caller's Idempotency-Key, so that a retry gets the same bytes. Written in the same
-- transaction as the predictions they speak of. seq keeps the order of writing, for deleting the oldest; responses may
-- be large, so this is not a WITHOUT ROWID table. at is microseconds since 1970, UTC.
CREATE TABLE replay (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  request_digest BLOB NOT NULL,
  response BLOB NOT NULL,
  content_type TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
