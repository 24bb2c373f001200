-- Lowest version of the program that can use this database: 7.

-- The repair requests to a peer are counted from `asked_since`.
ALTER TABLE peers ADD COLUMN asked_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peers ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
