-- Lowest version of the program that can use this database: 1.

-- Whether the person still has to be shown the recovery code of the account made here.
ALTER TABLE own_device ADD COLUMN recovery_code_unseen INTEGER NOT NULL DEFAULT 0;
