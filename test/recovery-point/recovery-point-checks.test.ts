/** What is refused of a seal: one that was altered, and one that does not say what its parts hold. */
import { describe, expect, it } from 'vitest';
import type { SealedManifest } from '../../src/recovery-point/manifest.ts';
import { withDigest } from '../../src/recovery-point/recovery-point-checks.ts';
import { listRecoveryPoints } from '../../src/recovery-point/list-points.ts';
import {
  digestOfSeal,
  openByRef,
  openRecoveryPoint,
  readLedgerSnapshot,
} from '../../src/recovery-point/recovery-point.ts';
import { sealedName } from '../../src/recovery-point/sealed-manifest.ts';
import { release } from '../../src/release.ts';
import { expectRefusals } from '../control-store/refusals.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { seal } from './sealed.ts';

const first = '2026-11-21T10:00:00.000Z';
const second = '2026-11-21T11:00:00.000Z';

/** Writes another seal in the place of one. */
async function reseal(
  store: FakeControlStore,
  sealed: Pick<SealedManifest, 'id' | 'epoch'>,
  other: object,
): Promise<string> {
  const name = sealedName(sealed.epoch, sealed.id);
  await store.write(name, JSON.stringify({ ...other, version: 2, release }), 'application/json');
  return name;
}

describe('a seal', () => {
  it('that was altered is refused, naming the file and both digests, and the one before is offered', async () => {
    const store = fakeControlStore();
    const before = await seal(store, first);
    const sealed = await seal(store, second);
    const altered = { ...sealed, parts: sealed.parts.filter(({ kind }) => kind !== 'jobs') };
    const place = await reseal(store, sealed, altered);
    const message = `the seal ${place} is not what was sealed: its sha256 is ${digestOfSeal(altered)}, expected ${sealed.digest}`;
    await expect(openRecoveryPoint(store, sealed.id)).rejects.toMatchObject({
      code: 'RecoveryPointError',
      message,
      details: { place, next: `Use the one before it: --recovery-point ${before.id}` },
    });
    expect(await listRecoveryPoints(store)).toMatchObject({
      sealed: [{ ref: { id: before.id } }],
      damaged: [{ id: sealed.id, reason: message }],
    });
  });

  it.each([
    ['region', { region: 'westus3' }],
    ['replica', { replica: { accountId: '/b', account: 'b', container: 'c' } }],
    ['digest', { digest: 'd'.repeat(64) }],
  ])('is refused whatever was altered of it: its %s', async (_what, change) => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    await reseal(store, sealed, { ...sealed, ...change });
    await expect(openRecoveryPoint(store, sealed.id)).rejects.toThrow('is not what was sealed: its sha256');
  });

  it('of another version, or of another form, is refused by name, and the one before is offered', async () => {
    const store = fakeControlStore();
    const before = await seal(store, first);
    const { id, epoch } = await seal(store, second);
    const document = { store, what: 'recovery point', version: 2, place: sealedName(epoch, id) };
    const next = `Use the one before it: --recovery-point ${before.id}`;
    const read = () => openRecoveryPoint(store, id);
    for (const field of ['digest', 'summary.counts.jobs', 'parts.0.sha256', 'workspace.guid'])
      await expectRefusals({ ...document, read, field, code: 'RecoveryPointError', next });
    const planned = () => openByRef(store, { id, digest: 'd', startedAt: second });
    await reseal(store, { id, epoch }, {});
    await expect(planned()).rejects.toMatchObject({ code: 'RecoveryPointError', details: { next } });
    expect((await listRecoveryPoints(store)).damaged).toEqual([
      { id, reason: expect.stringContaining(`recovery point "${document.place}", written by release`) },
    ]);
  });

  it('is read whatever the order of its fields', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    await reseal(store, sealed, Object.fromEntries(Object.entries(sealed).toReversed()));
    expect(await openRecoveryPoint(store, sealed.id)).toMatchObject({
      sealed,
      ref: { digest: sealed.digest },
    });
  });

  it('whose summary is not that of its parts is refused, with names and numbers', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const { summary } = sealed;
    const counts = { ...summary.counts, jobs: 3, models: 4, secrets: 1 };
    await reseal(
      store,
      sealed,
      withDigest({ ...sealed, summary: { ...summary, counts, blobs: 5, jobs: { Running: 27 }, fuzzy: 6 } }),
    );
    const opening = openRecoveryPoint(store, sealed.id);
    await expect(opening).rejects.toMatchObject({ code: 'RecoveryPointError' });
    for (const difference of [
      'counts.jobs says 3, its parts "jobs": 2',
      'blobs says 5, its parts "blobs": 0',
      'jobs says 27, its parts "jobs": 2',
      'counts.secrets says 1, its list "secrets": 0',
      'fuzzy says 6, its list "fuzzy": 0',
      'counts.models says 4, its parts "models": 0 at most',
    ])
      await expect(opening).rejects.toThrow(difference);
    expect((await listRecoveryPoints(store)).damaged).toMatchObject([{ id: sealed.id }]);
  });
});

describe('the job ledger', () => {
  it('that has another number of jobs than the plan was told is refused', async () => {
    const store = fakeControlStore();
    const before = await seal(store, first);
    const sealed = await seal(store, second);
    const altered = withDigest({ ...sealed, parts: sealed.parts.filter(({ kind }) => kind !== 'jobs') });
    const place = await reseal(store, sealed, altered);
    // By the plan's own reference: of a plan whose maker did not compare.
    const ref = { id: sealed.id, digest: altered.digest, startedAt: second };
    await expect(Array.fromAsync(readLedgerSnapshot(store, ref))).rejects.toMatchObject({
      code: 'RecoveryPointError',
      message: `the job ledger of recovery point "${sealed.id}" has 0 unfinished jobs, and its summary says 2`,
      details: { place, next: `Use the one before it: --recovery-point ${before.id}` },
    });
  });
});
