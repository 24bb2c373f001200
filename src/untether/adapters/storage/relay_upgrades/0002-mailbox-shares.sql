-- What one account has in a mailbox is added up without reading the headers of others, which an
-- account could make as many and as large as a mailbox holds.
CREATE INDEX entries_by_sender ON entries (account_id, device, sender, size);
