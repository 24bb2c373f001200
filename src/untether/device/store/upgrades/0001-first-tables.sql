-- Lowest version of the program that can use this database: 1.
-- Nothing newer than SQLite 3.39. Times are milliseconds since 1970; ids and keys are blobs.

-- This device: one row. `state` is one of device/own_device.py States.
CREATE TABLE own_device (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  state TEXT NOT NULL,
  account_key BLOB NOT NULL,
  account_name TEXT NOT NULL,
  origin TEXT NOT NULL,
  relay_id BLOB,
  role INTEGER NOT NULL,
  device INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  signing_seed BLOB NOT NULL,
  agreement_seed BLOB NOT NULL,
  certificate BLOB,
  device_name TEXT NOT NULL,
  device_kind TEXT NOT NULL,
  sealed_account_seed BLOB,
  login_counter INTEGER NOT NULL DEFAULT 0,
  acknowledged BLOB,
  invitation TEXT,
  lease_ms INTEGER NOT NULL
) STRICT;

-- The complete chain of the own account, as every own device keeps it.
CREATE TABLE own_lists (
  generation INTEGER NOT NULL,
  version INTEGER NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  signed_here INTEGER NOT NULL,
  published INTEGER NOT NULL,
  PRIMARY KEY (generation, version)
) STRICT;

-- What the phone tells its own devices about each other.
CREATE TABLE own_device_notices (
  device INTEGER NOT NULL,
  certificate_hash BLOB NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (device, certificate_hash)
) STRICT;

-- Accounts with a pinned key and, once fetched, their newest verified list.
CREATE TABLE accounts (
  account_id BLOB PRIMARY KEY,
  account_key BLOB NOT NULL,
  relay_name TEXT NOT NULL,
  list_body BLOB NOT NULL,
  list_signature BLOB NOT NULL,
  claimed_head BLOB,
  claimed_at INTEGER,
  lease_ended_at INTEGER,
  fork_evidence BLOB,
  long_ended_asked INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Devices of accounts that signed themselves out; valid for that number for ever.
CREATE TABLE resignations (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  PRIMARY KEY (account_id, device)
) STRICT, WITHOUT ROWID;

-- People. `waiting_account_id` is another account that the relay now gives for the name.
CREATE TABLE contacts (
  name TEXT PRIMARY KEY,
  account_id BLOB NOT NULL UNIQUE,
  verified INTEGER NOT NULL DEFAULT 0,
  added_at INTEGER NOT NULL,
  waiting_account_id BLOB
) STRICT;

-- Remote devices that this device has sealed for or opened from, by their keys. `removed_at` is
-- when this device learned that it was logged out.
CREATE TABLE peers (
  peer INTEGER PRIMARY KEY,
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  signing_key BLOB NOT NULL,
  agreement_key BLOB NOT NULL,
  prekey_serial INTEGER NOT NULL DEFAULT 0,
  absent TEXT,
  absent_at INTEGER,
  removed_at INTEGER,
  generation INTEGER NOT NULL DEFAULT 0,
  renew INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, device, signing_key, agreement_key)
) STRICT;

-- Sessions with a peer. Place 0 is the active one; its sending chain is in sending_chains.
CREATE TABLE sessions (
  peer INTEGER NOT NULL REFERENCES peers (peer) ON DELETE CASCADE,
  id BLOB NOT NULL,
  place INTEGER NOT NULL,
  sending BLOB NOT NULL,
  receiving BLOB NOT NULL,
  cold BLOB NOT NULL,
  PRIMARY KEY (peer, id)
) STRICT, WITHOUT ROWID;

-- Sending chains of all active sessions with the devices of one account, side by side.
CREATE TABLE sending_chains (
  account_id BLOB PRIMARY KEY,
  packed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys of messages that have not come yet; an empty key was deleted unused.
CREATE TABLE skipped_keys (
  session_id BLOB NOT NULL,
  ratchet_key BLOB NOT NULL,
  number INTEGER NOT NULL,
  key BLOB NOT NULL,
  skipped_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, ratchet_key, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX skipped_keys_by_age ON skipped_keys (skipped_at) WHERE key <> x'';

-- Own prekey pairs. `uploaded` is 0 until the relay has confirmed them.
CREATE TABLE prekeys (
  id BLOB PRIMARY KEY,
  type TEXT NOT NULL,
  secret BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  uploaded INTEGER NOT NULL,
  retired_at INTEGER
) STRICT, WITHOUT ROWID;

-- First-message keys seen with a last-resort key, refused when they come again.
CREATE TABLE used_base_keys (
  prekey_id BLOB NOT NULL REFERENCES prekeys (id) ON DELETE CASCADE,
  base_key BLOB NOT NULL,
  PRIMARY KEY (prekey_id, base_key)
) STRICT, WITHOUT ROWID;

-- What people wrote. `other` is the other account of the conversation (the own one for notes).
CREATE TABLE messages (
  row INTEGER PRIMARY KEY,
  message_id BLOB NOT NULL,
  author BLOB NOT NULL,
  author_device INTEGER NOT NULL,
  other BLOB NOT NULL,
  outgoing INTEGER NOT NULL,
  text TEXT NOT NULL,
  counter INTEGER NOT NULL,
  sent_at INTEGER NOT NULL,
  accepted_at INTEGER,
  state TEXT NOT NULL,
  devices INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0,
  printed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (author, author_device, message_id)
) STRICT;
CREATE INDEX messages_by_conversation ON messages (other, accepted_at, author_device, counter);
CREATE INDEX messages_to_print ON messages (row) WHERE printed = 0;

-- Content on its way out: the body sealed once. `direct_device` marks a message for one device.
CREATE TABLE outbox (
  message_id BLOB PRIMARY KEY,
  content BLOB NOT NULL,
  body BLOB NOT NULL,
  body_key BLOB NOT NULL,
  body_hash BLOB NOT NULL,
  direct_device INTEGER,
  not_before INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per account that a message goes to; `copies` are the sealed headers until answered.
CREATE TABLE outbox_recipients (
  message_id BLOB NOT NULL REFERENCES outbox (message_id) ON DELETE CASCADE,
  account_id BLOB NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL DEFAULT '',
  head BLOB,
  copies BLOB,
  retry_at INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (message_id, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_recipients_by_account ON outbox_recipients (account_id, state);

-- Counter of the next message per conversation.
CREATE TABLE counters (
  other BLOB PRIMARY KEY,
  next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages opened once are never shown again.
CREATE TABLE seen (
  peer INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  PRIMARY KEY (peer, message_id)
) STRICT, WITHOUT ROWID;

-- Mail that could not be opened when it came, with the named cause.
CREATE TABLE parked (
  row INTEGER PRIMARY KEY,
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  message_id BLOB NOT NULL,
  entry BLOB NOT NULL,
  cause TEXT NOT NULL,
  state TEXT NOT NULL,
  parked_at INTEGER NOT NULL
) STRICT;
CREATE INDEX parked_by_account ON parked (account_id, state);

-- Delivery receipts to send, unless an own device is quicker.
CREATE TABLE receipts_due (
  account_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, message_id)
) STRICT, WITHOUT ROWID;

-- What people should know, until it was shown.
CREATE TABLE notices (
  row INTEGER PRIMARY KEY,
  code TEXT NOT NULL,
  account_id BLOB,
  details TEXT NOT NULL,
  posted_at INTEGER NOT NULL,
  shown INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Where this device stands with its account: at most one row.
CREATE TABLE own_standing (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  signing_stopped TEXT NOT NULL DEFAULT '',
  renewal_due INTEGER NOT NULL DEFAULT 0,
  welcomed_counter INTEGER NOT NULL DEFAULT 0,
  lease_warned BLOB NOT NULL DEFAULT x'',
  kept BLOB NOT NULL DEFAULT x''
) STRICT;

-- Which list of the own account a device of another account has been asked to prove.
CREATE TABLE claims_asked (
  peer INTEGER PRIMARY KEY REFERENCES peers (peer) ON DELETE CASCADE,
  list_hash BLOB NOT NULL
) STRICT;

-- What goes to the relay with an own list, until it has confirmed both.
CREATE TABLE publications (
  generation INTEGER NOT NULL,
  version INTEGER NOT NULL,
  added INTEGER,
  prekeys BLOB,
  removed INTEGER,
  wipe_order BLOB,
  PRIMARY KEY (generation, version)
) STRICT;

-- Resignation of this device, until the relay has confirmed it: at most one row.
CREATE TABLE own_resignation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  body BLOB NOT NULL,
  signature BLOB NOT NULL
) STRICT;

-- Links of this device as the new one; `link` is the machine of protocol/linking/companion.py.
CREATE TABLE companion_links (
  row INTEGER PRIMARY KEY,
  slot_id BLOB NOT NULL UNIQUE,
  link BLOB NOT NULL,
  device_name TEXT NOT NULL,
  device_kind TEXT NOT NULL
) STRICT;

-- Links of this phone with new devices; `link` is the machine of protocol/linking/phone.py.
CREATE TABLE phone_links (
  row INTEGER PRIMARY KEY,
  slot_id BLOB NOT NULL UNIQUE,
  link BLOB NOT NULL,
  ends_at INTEGER NOT NULL,
  answered_head BLOB
) STRICT;

-- Device numbers given out to links, finished or not: none is ever given out again.
CREATE TABLE consumed_numbers (
  number INTEGER PRIMARY KEY
) STRICT;
