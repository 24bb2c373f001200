-- Lowest version of the program that can use this database: 3.

-- Messages that could not be opened, and are asked for again. `cause` is why it could not be
-- opened, `tries` how often it was asked for, `request_id` the message that asked last.
CREATE TABLE repairs (
  row INTEGER PRIMARY KEY,
  peer INTEGER NOT NULL REFERENCES peers (peer) ON DELETE CASCADE,
  message_id BLOB NOT NULL,
  cause TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  begun_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  request_id BLOB,
  UNIQUE (peer, message_id)
) STRICT;
CREATE INDEX repairs_by_time ON repairs (due_at);

-- What this device sent, for peers that can't open it. `devices` are peers, eight bytes each.
CREATE TABLE sent (
  row INTEGER PRIMARY KEY,
  message_id BLOB NOT NULL UNIQUE,
  content BLOB NOT NULL,
  devices BLOB NOT NULL,
  sent_at INTEGER NOT NULL
) STRICT;

-- How often a message was sent again to a peer.
CREATE TABLE sent_again (
  sent INTEGER NOT NULL REFERENCES sent (row) ON DELETE CASCADE,
  peer INTEGER NOT NULL,
  answers INTEGER NOT NULL,
  PRIMARY KEY (sent, peer)
) STRICT, WITHOUT ROWID;

-- `repair_start` is the number of the last session that was started for a repair, by either side;
-- the requests of a peer are counted from `requests_since`. `renew` 2 is a wish, 1 a must.
ALTER TABLE peers ADD COLUMN repair_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peers ADD COLUMN requests_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE peers ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;

-- Whether a message could not be opened when it first came.
ALTER TABLE messages ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0;

-- When it was given up; `parked_at` is when it came.
ALTER TABLE parked ADD COLUMN given_up_at INTEGER NOT NULL DEFAULT 0;
