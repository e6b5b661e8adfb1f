/**
 * Scenarios that run: started and stopped by name, on the cloud's clock, kept over a restart. One of a name runs in a
 * region at a time; different ones lie over each other.
 */

import { randomInt } from 'node:crypto';
import { GLOBAL, type Faults } from '../faults/faults.ts';
import { ArmError, type Json, type JsonObject } from '../contract/index.ts';
import { normalizeRegion } from '../resource/regions.ts';
import type { Journal, Table } from '../state/journal.ts';
import { Chance } from '../faults/chance.ts';
import { readDuration, readParameters, valuesOf } from './parameters.ts';
import type { Rhythm, Scenario, Values, World } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';

/** A scenario that runs. Times are milliseconds on the cloud's clock. */
export interface Running {
  name: string;
  /** Null: the cloud as a whole. */
  region: string | null;
  /** All of them, as they were given or as their defaults are written. */
  parameters: JsonObject;
  seed: number;
  startedAt: number;
  /** Null: until it is stopped. */
  endsAt: number | null;
  /** What it changed, as it was before. */
  before?: JsonObject;
}

export interface StartOptions {
  region?: string | undefined;
  parameters?: JsonObject;
  /** Drawn at random unless given. */
  seed?: number | undefined;
  /** How long, on the cloud's clock: '60s', or a number of seconds. */
  for?: Json | undefined;
}

/** Seeds that people type. */
const LARGEST_SEED = 2 ** 31 - 1;

export class Chaos {
  private readonly table: Table<Running>;
  private readonly timers = new Map<string, { cancel(): void }[]>();
  private readonly faults: Faults;
  private readonly world: World;
  private order: Promise<unknown> = Promise.resolve();
  private readonly onError: (error: unknown) => void;

  constructor(journal: Journal, faults: Faults, world: World, onError: (error: unknown) => void) {
    this.table = journal.table<Running>('chaos');
    this.faults = faults;
    this.world = world;
    this.onError = onError;
  }

  running(): Running[] {
    return Array.from(this.table.values());
  }

  /** Takes up what ran before a restart. */
  async resume(): Promise<void> {
    for (const one of this.running()) {
      const known = SCENARIOS.find(({ name }) => name === one.name);
      if (!known) this.table.delete(keyOf(one));
      else if (one.endsAt !== null && one.endsAt <= this.world.cloud.clock.now()) await this.end(one);
      else {
        known.changeAgain?.(this.world, valuesOf(known.parameters, one.parameters));
        await this.play(known, one);
      }
    }
  }

  /**
   * Starts a scenario, in place of the one of that name in that region. Throws ArmError 400 or 404 saying what there
   * is, and then has changed nothing.
   */
  start(name: string, options: StartOptions = {}): Promise<Running> {
    return this.exclusively(() => this.begin(name, options));
  }

  private async begin(name: string, options: StartOptions): Promise<Running> {
    const known = requireScenario(name);
    const region = this.requirePlace(known, options.region);
    const parameters = readParameters(name, known.parameters, options.parameters ?? {});
    const values = valuesOf(known.parameters, parameters);
    const seed = requireSeed(options.seed);
    const lasts = options.for === undefined ? null : requireDuration(options.for);
    const now = this.world.cloud.clock.now();
    const running: Running = {
      name,
      region,
      parameters,
      seed,
      startedAt: now,
      endsAt: lasts === null ? null : now + lasts,
    };
    requireRhythm(known, values);
    const before = this.table.get(keyOf(running));
    if (before) await this.end(before);
    try {
      return await this.run(known, running);
    } catch (error) {
      if (before) await this.run(known, before); // It was refused: what ran goes on.
      throw error;
    }
  }

  private async run(known: Scenario, running: Running): Promise<Running> {
    const values = valuesOf(known.parameters, running.parameters);
    if (known.change) running.before = await known.change(this.world, running.region ?? GLOBAL, values);
    this.table.set(keyOf(running), running);
    await this.play(known, running);
    return running;
  }

  /**
   * Stops what runs of that name (all, if none is given) in that region (all). Throws ArmError 404 if a name is given
   * and none runs.
   */
  stop(name?: string, region?: string): Promise<Running[]> {
    return this.exclusively(() => this.endAll(name, region));
  }

  private async endAll(name?: string, region?: string): Promise<Running[]> {
    const where = region === undefined ? undefined : normalizeRegion(region);
    const chosen = this.running().filter(
      (one) => (name === undefined || one.name === name) && (where === undefined || one.region === where),
    );
    if (chosen.length === 0 && name !== undefined) {
      requireScenario(name);
      const others = this.running().map((one) => one.name + (one.region === null ? '' : ` in ${one.region}`));
      const there = where === undefined ? '' : ` in ${where}`;
      throw new ArmError(
        404,
        'NotFound',
        `scenario '${name}' does not run${there}: ${others.length === 0 ? 'none does' : `these do: ${others.join(', ')}`}`,
      );
    }
    for (const one of chosen) await this.end(one);
    return chosen;
  }

  private requirePlace({ name, scope }: Scenario, region: string | undefined): string | null {
    const { regions } = this.world.cloud;
    if (scope === 'cloud') {
      if (region === undefined) return null;
      throw new ArmError(400, 'BadRequest', `scenario '${name}' meets the cloud as a whole: it takes no region`);
    }
    if (region === undefined)
      throw new ArmError(400, 'BadRequest', `scenario '${name}' needs a region: one of ${regions.join(', ')}`);
    const known = normalizeRegion(region);
    if (!regions.includes(known))
      throw new ArmError(404, 'NotFound', `There is no region '${region}': the regions are ${regions.join(', ')}.`);
    return known;
  }

  /** Lays the disturbance, and sets the clock for all that comes. */
  private async play(known: Scenario, running: Running): Promise<void> {
    const key = keyOf(running);
    const { clock } = this.world.cloud;
    const values = valuesOf(known.parameters, running.parameters);
    const timers: { cancel(): void }[] = [];
    this.timers.set(key, timers);
    if (running.endsAt !== null)
      timers[0] = clock.after(running.endsAt - clock.now(), () =>
        this.later(this.exclusively(() => this.end(running))),
      );
    const disturbance = known.disturb?.(values);
    const rhythm = known.rhythm?.(values);
    if (!disturbance) return;
    const chance = new Chance(running.seed);
    const beat = async (): Promise<void> => {
      const phase = rhythm && phaseOf(rhythm, clock.now() - running.startedAt);
      const out = phase === undefined || phase.out;
      if (phase) timers[1] = clock.after(phase.leftMs, () => this.later(beat()));
      await this.faults.lay(key, running.region ?? GLOBAL, out ? disturbance : undefined, chance);
    };
    await beat();
  }

  private async end(running: Running): Promise<void> {
    const key = keyOf(running);
    // It was replaced meanwhile: what runs now is another one.
    if (this.table.get(key)?.startedAt !== running.startedAt) return;
    for (const timer of this.timers.get(key) ?? []) timer?.cancel();
    this.timers.delete(key);
    this.table.delete(key);
    const known = SCENARIOS.find(({ name }) => name === running.name);
    if (running.before) await known?.restore?.(this.world, running.region ?? GLOBAL, running.before);
    await this.faults.lay(key, running.region ?? GLOBAL, undefined, new Chance(running.seed));
  }

  /** One start or end at a time, in the order asked: two of one name must not take each other for gone. */
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.order.then(work);
    this.order = mine.catch(() => undefined);
    return mine;
  }

  private later(work: Promise<void>): void {
    work.catch(this.onError);
  }
}

/** Is it out at this moment, and how long does that last? */
function phaseOf({ periodMs, duty }: Rhythm, sinceMs: number): { out: boolean; leftMs: number } {
  const at = sinceMs % periodMs;
  const outMs = periodMs * duty;
  return at < outMs ? { out: true, leftMs: outMs - at } : { out: false, leftMs: periodMs - at };
}

function keyOf({ name, region }: Pick<Running, 'name' | 'region'>): string {
  return `${name}@${region ?? GLOBAL}`;
}

function requireScenario(name: string): Scenario {
  const known = SCENARIOS.find((one) => one.name === name);
  if (known) return known;
  const names = SCENARIOS.map((one) => one.name).join(', ');
  throw new ArmError(404, 'NotFound', `there is no scenario '${name}'; there are ${names}`);
}

function requireSeed(seed: number | undefined): number {
  if (seed === undefined) return randomInt(LARGEST_SEED);
  if (Number.isInteger(seed) && seed >= 0 && seed <= LARGEST_SEED) return seed;
  throw new ArmError(400, 'BadRequest', `'seed': expected a whole number from 0 to ${LARGEST_SEED}, got ${seed}`);
}

function requireDuration(value: Json): number {
  const lasts = readDuration(value);
  if (lasts !== undefined && lasts > 0) return lasts;
  throw new ArmError(
    400,
    'BadRequest',
    `'for': expected a duration above 0, as in '500ms', '30s', '15m' or '1h', or a number of seconds, got ${JSON.stringify(value)}`,
  );
}

/** A period of no length would have the clock beat for ever. */
function requireRhythm(known: Scenario, values: Values): void {
  const rhythm = known.rhythm?.(values);
  if (rhythm && rhythm.periodMs < 1)
    throw new ArmError(400, 'BadRequest', `scenario '${known.name}', parameter 'period': expected 1ms or more`);
}
