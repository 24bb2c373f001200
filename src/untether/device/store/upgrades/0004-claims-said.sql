-- Lowest version of the program that can use this database: 1.

-- When a device was last asked to prove a list, and when a list was last proven to it.
CREATE TABLE claims_said (
  peer INTEGER NOT NULL REFERENCES peers (peer) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('question', 'evidence')),
  said_at INTEGER NOT NULL,
  PRIMARY KEY (peer, kind)
) STRICT;
