-- name: append
-- Add an event; its seq is the row's id.
INSERT INTO event (kind, at, model, version, summary, reasons, evidence)
VALUES (:kind, :at, :model, :version, :summary, :reasons, :evidence)

-- name: events
-- A model's events, oldest first; kinds is a JSON array, empty for all.
SELECT kind, at, model, summary, version, reasons, evidence, seq FROM event
WHERE model = :model
  AND (:kinds = '[]' OR kind IN (SELECT value FROM json_each(:kinds)))
  AND (:version IS NULL OR version = :version)
ORDER BY seq

-- name: lease_holder
-- Who holds an unexpired lease.
SELECT owner FROM lease WHERE name = :name AND expires_at > :now

-- name: take_lease
-- Take a lease that is free or expired; that it is was seen before, in the same transaction.
INSERT INTO lease (name, owner, token, expires_at) VALUES (:name, :owner, :token, :expires_at)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, token = excluded.token, expires_at = excluded.expires_at

-- name: give_back_lease
-- Give back one's own taking, not what came after it.
DELETE FROM lease WHERE name = :name AND token = :token
