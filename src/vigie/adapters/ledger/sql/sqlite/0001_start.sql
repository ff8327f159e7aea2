-- The ledger: what happened, and who may change a model right now.

-- Events are only ever added. reasons is a JSON array of texts, evidence a JSON object, at microseconds since 1970, UTC.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  model TEXT NOT NULL,
  version TEXT,
  summary TEXT NOT NULL,
  reasons TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;

CREATE INDEX event_by_model ON event (model, seq);

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

-- Leases. token tells one taking from the next, so that an expired holder cannot give back its successor's lease.
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  token TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
