// Bounds of the engine that the screens tell before it refuses. They are those of base/limits.py;
// a test compares them, with days for its milliseconds.

/** Characters. */
export const PASSPHRASE_MIN = 8;
export const COMPANIONS_MAX = 4;
export const LEASE_MIN_DAYS = 2;
export const LEASE_DEFAULT_DAYS = 30;
export const LEASE_MAX_DAYS = 180;
