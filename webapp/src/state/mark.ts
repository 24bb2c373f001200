// How far this browser came with a device: outlives what it deletes when it needs room.

const MARK = "untether-had-device";
const ACCOUNT = "";
const BEGUN = "begun";

/** The lock was chosen; its account comes next. */
export const markBegun = (): void => localStorage.setItem(MARK, BEGUN);

export const markAccount = (): void => localStorage.setItem(MARK, ACCOUNT);

export const unmark = (): void => localStorage.removeItem(MARK);

/** Was this device left, under its lock, before it had an account? */
export const wasBegun = (): boolean => localStorage.getItem(MARK) === BEGUN;

export const hadAccount = (): boolean => localStorage.getItem(MARK) === ACCOUNT;
