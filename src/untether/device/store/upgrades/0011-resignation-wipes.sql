-- Lowest version of the program that can use this database: 11.

-- Whether the owner wants the messages deleted with the keys, once the relay has the resignation.
ALTER TABLE own_resignation ADD COLUMN wipe INTEGER NOT NULL DEFAULT 0;
