-- Lowest version of the program that can use this database: 1.

-- When the claim that is kept was made, if a claim before it began at `claimed_at`. A time before
-- `claimed_at` says nothing: programs that do not know this column leave it as it was.
ALTER TABLE accounts ADD COLUMN claim_raised_at INTEGER NOT NULL DEFAULT 0;
