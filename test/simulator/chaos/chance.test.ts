import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Chance } from '../../../simulator/faults/chance.ts';
import { SCENARIOS } from '../../../simulator/chaos/scenarios.ts';
import { readDuration } from '../../../simulator/chaos/parameters.ts';
import { TokenBucket } from '../../../simulator/clock/token-bucket.ts';

describe('chance', () => {
  it('is even, and differs from one thing to the next and from one time to the next', () => {
    const chance = new Chance(1);
    const drawn = Array.from({ length: 4000 }, (_, i) => chance.draw(`GET /jobs/train-${i % 40}`));
    expect(new Set(drawn).size).toBeGreaterThan(3990);
    for (const bound of [0.1, 0.25, 0.5, 0.9]) {
      const share = drawn.filter((one) => one < bound).length / drawn.length;
      expect(Math.abs(share - bound)).toBeLessThan(0.03);
    }
  });

  it('does not mind ids that are made anew each time, nor the order of other things', () => {
    const [first, second] = [new Chance(5), new Chance(5)];
    second.draw('GET /something/else');
    expect(second.draw('GET /operations/0f8fad5b-d9cb-469f-a165-70867728950e')).toBe(
      first.draw('GET /operations/7c9e6679-7425-40de-944b-e07fc1f90ae7'),
    );
    expect(new Chance(6).of('a')).not.toBe(new Chance(7).of('a'));
  });

  it('forgets what was not drawn for a long time, and holds no more', () => {
    const chance = new Chance(1);
    const first = chance.draw('first');
    for (let i = 0; i < 20_001; i += 1) chance.draw(`other ${i}`);
    expect(chance.draw('first')).toBe(first);
  });
});

describe('a token bucket', () => {
  it('gives as many as it is deep, and says when there is the next', () => {
    const bucket = new TokenBucket();
    const taken = [bucket.take(2, 0.1), bucket.take(2, 0.1), bucket.take(2, 0.1)];
    expect(taken).toEqual([{ left: 1 }, { left: 0 }, { waitSeconds: 10 }]);
    expect(new TokenBucket().take(0, 0)).toEqual({ waitSeconds: 60 });
    const endless = new TokenBucket();
    for (let i = 0; i < 50; i += 1) expect(endless.take(2, Infinity)).toEqual({ left: 1 });
  });
});

it('durations are read as people write them', () => {
  const read = ['500ms', '2s', '1.5m', '1h', '7', 7, 0.25].map(readDuration);
  expect(read).toEqual([500, 2000, 90_000, 3_600_000, 7000, 7000, 250]);
  for (const wrong of ['', 's', '-1s', '1 s', '1d', true, null, [], {}]) expect(readDuration(wrong)).toBeUndefined();
});

it('every scenario is in the manual, with its parameters and their defaults', async () => {
  const manual = await readFile(join(import.meta.dirname, '../../../simulator/README.md'), 'utf8');
  for (const { name, parameters } of SCENARIOS) {
    const row = manual.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
    for (const [parameter, { default: standard, options }] of Object.entries(parameters))
      expect(row, `${name} in simulator/README.md`).toContain(
        `\`${parameter}\` ${options ? options.join(' \\| ') : standard === '' ? 'any' : standard}`,
      );
    expect(row).not.toBe('');
  }
});
