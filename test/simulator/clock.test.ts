import { afterEach, describe, expect, it } from 'vitest';
import { CloudClock, type ClockState } from '../../simulator/clock/clock.ts';
import { eventually } from './running-cloud.ts';

const clocks: CloudClock[] = [];
afterEach(() => clocks.splice(0).forEach((clock) => clock.close()));

function make(state?: ClockState, errors: unknown[] = []): { clock: CloudClock; states: ClockState[] } {
  const states: ClockState[] = [];
  const clock = new CloudClock(
    state,
    (changed) => states.push(changed),
    (error) => errors.push(error),
  );
  clocks.push(clock);
  return { clock, states };
}

describe('the clock', () => {
  it('when driven runs what falls due in order, each at its own moment, also what that adds', () => {
    const { clock } = make({ time: 1000, setAt: Date.now(), speed: 0 });
    const seen: [string, number][] = [];
    const note = (name: string) => (): void => void seen.push([name, clock.now()]);
    clock.after(300, note('third'));
    clock.after(100, () => {
      note('first')();
      clock.after(50, note('second'));
    });
    clock.after(900, note('late'));
    const cancelled = clock.after(200, note('cancelled'));
    cancelled.cancel();
    clock.advance(500);
    expect(seen).toEqual([
      ['first', 1100],
      ['second', 1150],
      ['third', 1300],
    ]);
    expect(clock.now()).toBe(1500);
  });

  it('runs faster by its factor, and one failing timer stops no other', async () => {
    const errors: unknown[] = [];
    const { clock } = make(undefined, errors);
    clock.setSpeed(10_000);
    let rang = 0;
    clock.after(60_000, () => {
      throw new Error('mine alone');
    });
    clock.after(60_000, () => (rang += 1));
    const started = Date.now();
    await eventually(
      () => rang,
      (count) => count === 1,
    );
    expect(Date.now() - started).toBeLessThan(5000);
    expect(errors).toHaveLength(1);
  });

  it('goes on after a restart as if it had not stopped, or stands where it stood', () => {
    const now = Date.now();
    expect(make({ time: 0, setAt: now - 10_000, speed: 60 }).clock.now()).toBeGreaterThanOrEqual(600_000);
    expect(make({ time: 42, setAt: now - 10_000, speed: 0 }).clock.now()).toBe(42);
    const { clock, states } = make({ time: 42, setAt: now, speed: 0 });
    clock.advance(8);
    expect(states.at(-1)).toMatchObject({ time: 50, speed: 0 });
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.setSpeed(Number.NaN)).toThrow(RangeError);
  });
});
