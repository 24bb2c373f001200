-- Lowest version of the program that can use this database: 3.

-- What a device runs on, as it says itself; empty where it was not told.
ALTER TABLE own_device ADD COLUMN device_platform TEXT NOT NULL DEFAULT '';
ALTER TABLE own_device_notices ADD COLUMN platform TEXT NOT NULL DEFAULT '';
ALTER TABLE companion_links ADD COLUMN device_platform TEXT NOT NULL DEFAULT '';
