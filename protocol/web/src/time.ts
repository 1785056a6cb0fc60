// Times as people say them. Owns words such as "2 min ago"; the clock is handed in, so that they can be tested.

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** 130 seconds as "2 min"; never two units, never "0 s". */
export function spanWords(seconds: number): string {
  const whole = Math.max(1, Math.floor(seconds));
  for (const [size, name] of UNITS) {
    if (whole >= size) return `${Math.floor(whole / size)} ${name}`;
  }
  return "1 s";
}

/** "just now", "2 min ago", "3 d ago". */
export function agoWords(at: Date, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1000;
  return seconds < 5 ? "just now" : `${spanWords(seconds)} ago`;
}

/** The time of day at the shop, "14:05", with the date when it is another day there. */
export function clockWords(at: Date, now: Date, timeZone?: string, locale?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat(locale, { ...zone, dateStyle: "medium" });
  const time = new Intl.DateTimeFormat(locale, { ...zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
  return day.format(at) === day.format(now) ? time : `${day.format(at)}, ${time}`;
}
