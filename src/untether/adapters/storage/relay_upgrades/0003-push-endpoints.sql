-- Where a device wants to be woken when it has mail and no connection.
CREATE TABLE push_endpoints (
  account_id BLOB NOT NULL,
  device INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  PRIMARY KEY (account_id, device)
) STRICT, WITHOUT ROWID;
