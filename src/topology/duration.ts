/** Durations as written in a topology: a whole number and a unit (`90s`, `15m`, `2h`, `1d`). */
const secondsPerUnit = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** The form of a duration. */
export const durationPattern = /^(\d+)(s|m|h|d)$/;

/** Converts a duration to seconds. Throws RangeError for anything else. */
export function toSeconds(duration: string): number {
  const match = durationPattern.exec(duration);
  if (!match) throw new RangeError(`expected a duration such as "90s" or "15m", got "${duration}"`);
  return Number(match[1]) * secondsPerUnit[match[2] as keyof typeof secondsPerUnit];
}

/** Formats milliseconds for people: `4m 05s`, `12.3s`, `850ms`. */
export function showDuration(milliseconds: number): string {
  if (Math.round(milliseconds) < 1000) return `${Math.round(milliseconds)}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}h ${String(minutes).padStart(2, '0')}m` : `${minutes}m ${rest}s`;
}
