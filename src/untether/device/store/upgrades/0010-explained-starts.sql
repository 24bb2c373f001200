-- Lowest version of the program that can use this database: 10.

-- A message that says why a fresh session began: it is sealed and leaves before all others.
ALTER TABLE outbox ADD COLUMN explains_start INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET explains_start = 1 WHERE message_id IN (SELECT request_id FROM repairs);
