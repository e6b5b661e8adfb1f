/** From when a report measures: what the person says, what the checks saw, and what cannot have been. */
import { describe, expect, it } from 'vitest';
import { outageOf } from '../../src/operations/outage.ts';
import { release } from '../../src/release.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

const triggeredAt = new Date('2026-11-21T03:00:00.000Z');

async function outage(
  seen: { lastHealthyAt?: string; firstUnhealthyAt?: string } | undefined,
  known: { outageBeganAt?: string; readAt?: string } = {},
) {
  const store = fakeControlStore();
  if (seen) await store.swap('health/eastus.json', { ...seen, version: 1, release }, undefined);
  return outageOf(store, 'eastus', { triggeredAt, readAt: undefined, ...known });
}

describe('an outage began', () => {
  it('when the person says so, whatever was seen', async () => {
    const seen = { firstUnhealthyAt: '2026-11-21T02:50:00.000Z' };
    expect(await outage(seen, { outageBeganAt: '2026-11-21T02:40:00.000Z' })).toEqual({
      outageBeganAt: '2026-11-21T02:40:00.000Z',
      outageSource: 'told by the person',
    });
  });

  it('with the first failed check', async () => {
    const seen = { firstUnhealthyAt: '2026-11-21T02:50:00.000Z', lastHealthyAt: '2026-11-21T02:45:00.000Z' };
    expect(await outage(seen, { readAt: '2026-11-21T02:30:00.000Z' })).toEqual({
      outageBeganAt: '2026-11-21T02:50:00.000Z',
      outageSource: 'first failed health check',
      answeredAt: '2026-11-21T02:45:00.000Z',
    });
  });

  it('after the region was read for the recovery point, where that is the later answer', async () => {
    const seen = { firstUnhealthyAt: '2026-11-21T02:50:00.000Z', lastHealthyAt: '2026-11-21T02:30:00.000Z' };
    expect(await outage(seen, { readAt: '2026-11-21T02:45:00.000Z' })).toMatchObject({
      answeredAt: '2026-11-21T02:45:00.000Z',
    });
  });

  it('by the trigger at the latest, where only the check of the command itself failed', async () => {
    expect(await outage({ firstUnhealthyAt: '2026-11-21T03:00:02.000Z' })).toEqual({
      outageBeganAt: triggeredAt.toISOString(),
      outageSource: 'the trigger at the latest: no health check had failed before',
    });
  });

  it('not before the region was read for the recovery point: a check that failed days ago was another matter', async () => {
    const seen = { firstUnhealthyAt: '2026-11-18T02:50:00.000Z' };
    expect(await outage(seen, { readAt: '2026-11-21T02:30:00.000Z' })).toEqual({
      outageBeganAt: triggeredAt.toISOString(),
      outageSource:
        'the trigger at the latest: a health check failed at 2026-11-18T02:50:00.000Z, but the region was read for a recovery point at 2026-11-21T02:30:00.000Z',
      answeredAt: '2026-11-21T02:30:00.000Z',
    });
  });

  it('at no time, where no check has failed', async () => {
    expect(await outage(undefined)).toEqual({});
    expect(await outage({ lastHealthyAt: '2026-11-21T02:59:00.000Z' })).toEqual({});
  });

  it('at no time, where the check of the command itself was answered: the move is planned', async () => {
    const lastHealthyAt = '2026-11-21T03:00:02.000Z';
    expect(await outage({ lastHealthyAt })).toEqual({ answeredAt: lastHealthyAt });
  });
});
