-- Lowest version of the program that can use this database: 5.

-- The highest counter that was heard of each remote device in a conversation, and when.
CREATE TABLE counters_heard (
  peer INTEGER NOT NULL,
  other BLOB NOT NULL,
  highest INTEGER NOT NULL,
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (peer, other)
) STRICT, WITHOUT ROWID;

INSERT INTO counters_heard
SELECT peer, other, max(counter), 0
FROM messages JOIN peers ON peers.account_id = author AND peers.device = author_device
GROUP BY peer, other;

-- Runs of counters below it that did not come. `before` is when the one before them was heard;
-- `notice` is NULL until people are told, and 0 when something else has told them.
CREATE TABLE counters_missing (
  peer INTEGER NOT NULL,
  other BLOB NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  before INTEGER NOT NULL,
  noticed_at INTEGER NOT NULL,
  notice INTEGER,
  PRIMARY KEY (peer, other, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX counters_missing_untold ON counters_missing (noticed_at) WHERE notice IS NULL;
