// Times and sizes as people say them, in their own language.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  year: "numeric",
});
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

/** The hour of a message. */
export const hour = (at: number): string => clock.format(at);

/** A day with its year. */
export const day = (at: number): string => fullDate.format(at);

/** How many midnights lie between a time and now. */
function daysAgo(at: number, now: number): number {
  return Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / DAY);
}

/** A day as a divider between messages: today, yesterday, a weekday, a date. */
export function dayName(at: number, today: string, yesterday: string, now = Date.now()): string {
  const days = daysAgo(at, now);
  if (days <= 0) return today;
  if (days === 1) return yesterday;
  return days < 7 ? weekday.format(at) : fullDate.format(at);
}

/** The time of the last message, short enough for a list. */
export function brief(at: number, yesterday: string, now = Date.now()): string {
  const days = daysAgo(at, now);
  if (days <= 0) return clock.format(at);
  if (days === 1) return yesterday;
  return days < 7 ? weekday.format(at) : date.format(at);
}

/** How long ago, or how soon. */
export function ago(at: number, now = Date.now()): string {
  const past = at - now;
  const size = Math.abs(past);
  if (size < MINUTE) return relative.format(Math.round(past / 1000), "second");
  if (size < HOUR) return relative.format(Math.round(past / MINUTE), "minute");
  if (size < DAY) return relative.format(Math.round(past / HOUR), "hour");
  return relative.format(Math.round(past / DAY), "day");
}

/** How long ago a time lies that is known to the hour only: in which hour, on which day. */
export function hoursAgo(at: number, withinHour: string, now = Date.now()): string {
  const hours = Math.floor((now - at) / HOUR);
  if (hours < 1) return withinHour;
  if (hours < 24) return relative.format(-hours, "hour");
  return daysAgo(at, now) === 1 ? relative.format(-1, "day") : day(at);
}

/** A number of bytes. */
export function bytes(size: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: units[step] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: 1,
  }).format(size / 1000 ** step);
}
