/**
 * A process in which time goes `scale` times as fast: timers and clocks alike, so that client-side pacing, retries and
 * time-outs all keep their proportions. Call it before anything is imported that takes a timer function or a clock for
 * itself.
 */
export function scaleClock(scale: number): void {
  const { setTimeout: originalTimeout, setInterval: originalInterval } = globalThis;
  const dateNow = Date.now;
  const performanceNow = performance.now.bind(performance);
  const [dateStart, performanceStart] = [dateNow(), performanceNow()];
  Date.now = () => Math.floor(dateStart + (dateNow() - dateStart) * scale);
  performance.now = () => performanceStart + (performanceNow() - performanceStart) * scale;
  type Start = (callback: (...values: unknown[]) => void, delay?: number, ...values: unknown[]) => unknown;
  const faster =
    (original: Start): Start =>
    (callback, delay = 0, ...values) =>
      original(callback, delay / scale, ...values);
  // Nobody here uses what Node hangs on these functions for `util.promisify`.
  globalThis.setTimeout = faster(originalTimeout) as typeof setTimeout;
  globalThis.setInterval = faster(originalInterval) as typeof setInterval;
}
