-- The relay's rows; untether/relay/rows.py says what the columns mean.
-- Times are milliseconds since 1970; ids, keys and signed bytes are blobs.

CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  account_id BLOB PRIMARY KEY,
  account_key BLOB NOT NULL,
  name TEXT NOT NULL UNIQUE,
  generation INTEGER NOT NULL,
  version INTEGER NOT NULL,
  list_hash BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  primary_device INTEGER NOT NULL,
  present BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lists (
  account_id BLOB NOT NULL,
  generation INTEGER NOT NULL,
  version INTEGER NOT NULL,
  hash BLOB NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (account_id, generation, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE statements (
  account_id BLOB NOT NULL,
  kind TEXT NOT NULL,
  device INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (account_id, kind, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_keys (
  key BLOB PRIMARY KEY,
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  last_number INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  dropped INTEGER NOT NULL,
  dropped_up_to INTEGER NOT NULL,
  login_counter INTEGER NOT NULL,
  last_active_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  number INTEGER NOT NULL,
  sender BLOB NOT NULL,
  sender_device INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  header BLOB,
  absent TEXT,
  body_id INTEGER,
  size INTEGER NOT NULL,
  PRIMARY KEY (account_id, device, number)
) STRICT, WITHOUT ROWID;

-- A body may belong to mailboxes of several accounts; the last reference deletes it.
CREATE TABLE bodies (
  body_id INTEGER PRIMARY KEY,
  reference_count INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

CREATE TABLE submissions (
  account_id BLOB NOT NULL,
  sender BLOB NOT NULL,
  sender_device INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  target INTEGER NOT NULL,
  accepted_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, sender, sender_device, message_id, target)
) STRICT, WITHOUT ROWID;

CREATE INDEX submissions_by_age ON submissions (accepted_at);

CREATE TABLE rotating_prekeys (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  prekey_id BLOB NOT NULL,
  serial INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  PRIMARY KEY (account_id, device)
) STRICT, WITHOUT ROWID;

-- In the order of deposit, which is the order of handing out.
CREATE TABLE one_time_prekeys (
  place INTEGER PRIMARY KEY,
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  prekey_id BLOB NOT NULL,
  serial INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  UNIQUE (account_id, device, prekey_id)
) STRICT;

CREATE INDEX one_time_prekeys_in_order ON one_time_prekeys (account_id, device, place);

CREATE TABLE handed_out_prekeys (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  prekey_id BLOB NOT NULL,
  handed_out_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, device, prekey_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX handed_out_prekeys_by_age ON handed_out_prekeys (handed_out_at);

CREATE TABLE claim_limits (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  requester BLOB NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, device, requester)
) STRICT, WITHOUT ROWID;

CREATE INDEX claim_limits_by_age ON claim_limits (due_at);

CREATE TABLE slots (
  slot_id BLOB PRIMARY KEY,
  expires_at INTEGER NOT NULL,
  account_id BLOB,
  device INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE slot_items (
  slot_id BLOB NOT NULL REFERENCES slots ON DELETE CASCADE,
  item_index INTEGER NOT NULL,
  item BLOB NOT NULL,
  PRIMARY KEY (slot_id, item_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
  code_hash BLOB PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
