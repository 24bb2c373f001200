// Bounds of the engine that the screens tell before it refuses. They are those of base/limits.py;
// a test compares them, with days for its milliseconds.

/** Characters. */
export const PASSPHRASE_MIN = 8;
export const NAME_MIN = 2;
export const NAME_MAX = 32;
export const DEVICE_NAME_MAX = 64;
export const INVITATION_CODE_MAX = 64;
export const RECOVERY_TEXT_MAX = 4096;
/** Devices beside the phone. */
export const COMPANIONS_MAX = 4;
/** Days. */
export const LEASE_MIN_DAYS = 2;
export const LEASE_DEFAULT_DAYS = 30;
export const LEASE_MAX_DAYS = 180;
