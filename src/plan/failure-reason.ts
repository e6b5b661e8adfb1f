/** Why a run failed, in one line that fits a terminal, a chat and a headline: its report has all of it. Pure. */

/** Maximum characters of a reason. */
const longest = 300;

/** The first of what failed, and how many more there are. */
export function firstFailure(failures: readonly string[]): string {
  const [first = '', ...others] = failures;
  if (others.length === 0) return cutReason(first);
  const more = `; and ${others.length} more ${others.length === 1 ? 'step' : 'steps'} failed`;
  return cutReason(first, longest - more.length) + more;
}

/** Cuts a reason that is too long. */
export function cutReason(reason: string, most = longest): string {
  return reason.length <= most ? reason : `${reason.slice(0, most - 2).trimEnd()} …`;
}
