/** Lists of copies, and of those that are damaged: read as they were written, or refused by name. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  openDamage,
  openList,
  sealDamage,
  sealList,
  type DamagedReplica,
  type ReplicaLine,
  type ScrubList,
} from '../../src/recovery-point/scrub-ledger.ts';
import { release } from '../../src/release.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';

const line: ReplicaLine = {
  assets: ['models/fraud/4'],
  classes: ['inference'],
  unit: 'p',
  account: 'a',
  container: 'c',
  path: 'p/q',
  etag: 'e',
  sizeBytes: 7,
  sha256: 's',
  md5: 'm',
  replica: 'r',
  metadata: { Team: 'fraud' },
  since: '2026-11-21T10-00-00.000Z-e1',
  sourceAccountId: '/a',
};
const damaged: DamagedReplica[] = [
  {
    line,
    accountId: '/b',
    actual: 'there is none',
    reason: 'its source is gone',
    foundAt: '2026-11-22T10:00:00.000Z',
    recoveryPoints: { first: line.since, last: line.since },
    accepted: { reason: 'no longer needed', by: 'ana', at: '2026-11-22T11:00:00.000Z' },
  },
];
const list: ScrubList = {
  digest: '',
  accountId: '/b',
  count: 1,
  bytes: 7,
  readAt: '2026-11-21T10:00:00.000Z',
};

let store: FakeControlStore;
beforeEach(() => {
  store = fakeControlStore();
});

describe('a list of copies', () => {
  it('loses nothing, nor does that of the damaged ones', async () => {
    const digest = await sealList(store, [line]);
    const { damage } = await sealDamage(store, damaged);
    expect(await openList(store, { ...list, digest })).toEqual([line]);
    expect(damage).toMatchObject({ count: 1, accepted: 1 });
    expect(await openDamage(store, { ...list, damage })).toEqual(damaged);
  });

  it.each([
    [
      'of another release',
      { lines: [line], version: 2, release: '0.9.0' },
      'it has version 2 and was written by release 0.9.0',
    ],
    [
      'of another form',
      { lines: [{ ...line, md5: 7 }], version: 1, release },
      'lines.0.md5: Invalid input: expected string, received number',
    ],
  ])('%s is refused by name', async (_what, other, problem) => {
    const digest = await store.seal('replicas/lists', other);
    const place = `replicas/lists/${digest}.json`;
    await expect(openList(store, { ...list, digest })).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringMatching(new RegExp(`^list of copies "${place}".*${problem}$`)),
      details: { place, next: expect.any(String) },
    });
  });

  it('of damaged copies that has another form is refused by name', async () => {
    const digest = await store.seal('replicas/damage', { damaged: [{ line }], version: 1, release });
    const damage = { digest, count: 1, accepted: 0 };
    await expect(openDamage(store, { ...list, damage })).rejects.toThrow(
      `list of damaged copies "replicas/damage/${digest}.json", written by release ${release}: damaged.0.accountId: Invalid input`,
    );
  });
});
