/**
 * A process in which time goes `scale` times as fast: timers and clocks alike, so that client-side pacing, retries and time-outs all
 * keep their proportions. Call it before anything is imported that takes a timer function or a clock for itself.
 */
export function scaleClock(scale: number): void {
  const { setTimeout: originalTimeout, setInterval: originalInterval } = globalThis;
  const dateNow = Date.now;
  const performanceNow = performance.now.bind(performance);
  const [dateStart, performanceStart] = [dateNow(), performanceNow()];
  Date.now = () => Math.floor(dateStart + (dateNow() - dateStart) * scale);
  performance.now = () => performanceStart + (performanceNow() - performanceStart) * scale;
  const faster = <F extends (callback: () => void, delay?: number) => unknown>(original: F): F => {
    const replacement = (callback: (...values: unknown[]) => void, delay = 0, ...values: unknown[]) =>
      original(() => callback(...values), delay / scale);
    // `util.promisify` and timers that are unrefed or cleared go on working: what is answered is Node's own timer.
    return Object.assign(replacement, original) as unknown as F;
  };
  globalThis.setTimeout = faster(originalTimeout as never) as unknown as typeof setTimeout;
  globalThis.setInterval = faster(originalInterval as never) as unknown as typeof setInterval;
}
