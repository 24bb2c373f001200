-- Lowest version of the program that can use this database: 1.
-- Messages that a lease holds back are looked for at every Tick.

CREATE INDEX messages_held ON messages (author) WHERE held = 1;
