/**
 * The cloud's clock. It runs with real time by default, faster by a factor, or stands still and is driven. Timers fire
 * in order of their moment, each seeing `now()` at that moment when the clock is driven.
 */

import type { Clock } from '../contract/index.ts';

/** What the clock needs to go on after a restart as if it had never stopped. */
export interface ClockState {
  /** The clock's time, in milliseconds since 1970, at the real time `setAt`. */
  time: number;
  setAt: number;
  /** Clock seconds per real second; 0: it stands still. */
  speed: number;
}

interface Timer {
  at: number;
  order: number;
  action: () => void;
}

/** setTimeout overflows above this. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

export class CloudClock implements Clock {
  private state: ClockState;
  private timers: Timer[] = [];
  private order = 0;
  private alarm: NodeJS.Timeout | undefined;
  private closed = false;
  private readonly onChange: (state: ClockState) => void;
  private readonly onError: (error: unknown) => void;

  constructor(state: ClockState | undefined, onChange: (state: ClockState) => void, onError: (error: unknown) => void) {
    this.state = state ?? { time: Date.now(), setAt: Date.now(), speed: 1 };
    this.onChange = onChange;
    this.onError = onError;
  }

  now(): number {
    const { time, setAt, speed } = this.state;
    return Math.floor(time + (Date.now() - setAt) * speed);
  }

  get speed(): number {
    return this.state.speed;
  }

  after(ms: number, action: () => void): { cancel(): void } {
    const timer: Timer = { at: this.now() + Math.max(0, ms), order: this.order++, action };
    const place = this.placeOf(timer);
    this.timers.splice(place, 0, timer);
    if (place === 0) this.wind();
    return {
      cancel: () => {
        const found = this.placeOf(timer);
        if (this.timers[found] === timer) this.timers.splice(found, 1);
      },
    };
  }

  /**
   * Sets how many clock seconds pass in a real second; 0 stops the clock. Throws RangeError if negative or not finite.
   */
  setSpeed(speed: number): void {
    if (!Number.isFinite(speed) || speed < 0) throw new RangeError(`speed: expected a number from 0 on, got ${speed}`);
    this.set({ time: this.now(), setAt: Date.now(), speed });
  }

  /** Moves the clock on, running what falls due on the way, in order. Throws RangeError if it would go back. */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`advance: expected milliseconds from 0 on, got ${ms}`);
    const end = this.now() + ms;
    for (let next = this.timers[0]; next && next.at <= end; next = this.timers[0]) {
      if (next.at > this.now()) this.set({ ...this.state, time: next.at, setAt: Date.now() });
      this.runFirst();
    }
    if (end > this.now()) this.set({ ...this.state, time: end, setAt: Date.now() });
  }

  /** Forgets all timers; none fires afterwards. */
  close(): void {
    this.closed = true;
    this.timers = [];
    clearTimeout(this.alarm);
  }

  private set(state: ClockState): void {
    this.state = state;
    this.onChange(state);
    this.wind();
  }

  /** Where the timer stands, or would stand: `timers` is in order of moment, then of making. */
  private placeOf(timer: Timer): number {
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.timers[middle];
      if (other && (other.at < timer.at || (other.at === timer.at && other.order < timer.order))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private wind(): void {
    clearTimeout(this.alarm);
    const next = this.timers[0];
    if (!next || this.closed || this.state.speed === 0) return;
    const sleep = Math.min(LONGEST_SLEEP_MS, Math.max(0, (next.at - this.now()) / this.state.speed));
    this.alarm = setTimeout(() => this.ring(), Math.ceil(sleep));
  }

  private ring(): void {
    for (let next = this.timers[0]; next && next.at <= this.now() && !this.closed; next = this.timers[0])
      this.runFirst();
    this.wind();
  }

  private runFirst(): void {
    const timer = this.timers.shift();
    try {
      timer?.action();
    } catch (error) {
      this.onError(error); // One provider's timer must not stop the others'.
    }
  }
}
