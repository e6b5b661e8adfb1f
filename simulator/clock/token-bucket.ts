/**
 * A token bucket: so many requests at once, and so many a second from then on. In real time: it is what clients wait
 * in.
 */
export class TokenBucket {
  private tokens: number | undefined;
  private filledAt = 0;

  /**
   * Takes a token of a bucket of this depth that refills at this rate; they may change from one time to the next.
   * Answers how many whole tokens are left, or the seconds until there is one.
   */
  take(depth: number, perSecond: number): { left: number } | { waitSeconds: number } {
    const now = Date.now();
    const refilled = ((now - this.filledAt) / 1000) * perSecond;
    // An endless rate refills in no time at all.
    this.tokens = Math.min(depth, (this.tokens ?? depth) + (Number.isFinite(refilled) ? refilled : depth));
    this.filledAt = now;
    if (this.tokens >= 1) {
      this.tokens -= 1;
      return { left: Math.floor(this.tokens) };
    }
    return { waitSeconds: perSecond > 0 ? Math.max(1, Math.ceil((1 - this.tokens) / perSecond)) : 60 };
  }
}
