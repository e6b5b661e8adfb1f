/** Recovery points in the control store: which is the newest, and what is refused. */
import { describe, expect, it } from 'vitest';
import { folderOf, type PartKind, type PartLines } from '../../src/artifacts/manifest.ts';
import { partWriter, readLines } from '../../src/artifacts/parts.ts';
import {
  digestOf,
  listRecoveryPoints,
  openByRef,
  openRecoveryPoint,
  readLedgerSnapshot,
  summarise,
} from '../../src/artifacts/recovery-point.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { seal } from './sealed.ts';

const first = '2026-11-21T10:00:00.000Z';
const second = '2026-11-21T11:00:00.000Z';

describe('a list of recovery points', () => {
  it('has the newest epoch first, whatever an older one seals late', async () => {
    const store = fakeControlStore();
    await seal(store, first, { epoch: 2 });
    await seal(store, '2026-11-21T09:00:00.000Z', { epoch: 1 });
    await seal(store, second, { epoch: 1, region: 'westus3' });
    await seal(store, second, { epoch: 10 });
    const ids = async (options = {}) =>
      (await listRecoveryPoints(store, options)).sealed.map(({ ref }) => ref.id);
    expect(await ids()).toEqual([
      '2026-11-21T11-00-00.000Z-e10',
      '2026-11-21T10-00-00.000Z-e2',
      '2026-11-21T11-00-00.000Z-e1',
      '2026-11-21T09-00-00.000Z-e1',
    ]);
    expect(await ids({ limit: 1 })).toHaveLength(1);
    expect(await ids({ limit: 1, region: 'westus3' })).toEqual(['2026-11-21T11-00-00.000Z-e1']);
  });

  it('tells what was never sealed and what is damaged from what is whole', async () => {
    const store = fakeControlStore();
    const whole = await seal(store, first);
    const damaged = await seal(store, second);
    await partWriter(store, folderOf(1, '2026-11-21T12-00-00.000Z-e1'), 'jobs').add({});
    await store.write(
      'epochs/1/recovery-points/2026-11-21T12-00-00.000Z-e1/blobs/x.ndjson',
      '{}',
      'text/plain',
    );
    const name = `${folderOf(1, damaged.id)}/sealed.json`;
    const { text } = store.documents.get(name) ?? { text: '' };
    await store.write(name, text.slice(0, 100), 'application/json');
    expect(await listRecoveryPoints(store)).toMatchObject({
      sealed: [{ ref: { id: whole.id } }],
      damaged: [{ id: damaged.id, reason: expect.stringContaining('cut short or altered') as string }],
      unsealed: ['2026-11-21T12-00-00.000Z-e1'],
    });
  });
});

describe('opening a recovery point', () => {
  it('answers its manifest and its digest', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const open = await openRecoveryPoint(store, sealed.id);
    expect(open).toEqual({ sealed, ref: { id: sealed.id, digest: digestOf(sealed), startedAt: first } });
    expect(summarise(open)).toEqual({ ref: open.ref, ...sealed.summary });
    expect(await Array.fromAsync(readLedgerSnapshot(store, open.ref))).toEqual([
      { name: 'a' },
      { name: 'b' },
    ]);
  });

  it.each([
    ['altered', (text: string) => text.replace('"b"', '"c"')],
    ['cut short', (text: string) => text.slice(0, -6)],
  ])('refuses one whose part is %s, says both digests, and offers the one before', async (_what, spoil) => {
    const store = fakeControlStore();
    const before = await seal(store, first);
    const sealed = await seal(store, second);
    const [part] = sealed.parts;
    const name = `${folderOf(1, sealed.id)}/${part?.name}`;
    await store.write(name, spoil(store.documents.get(name)?.text ?? ''), 'application/x-ndjson');
    await expect(openRecoveryPoint(store, sealed.id)).rejects.toMatchObject({
      code: 'RecoveryPointError',
      message: expect.stringMatching(
        new RegExp(
          `^part "${part?.name}" of recovery point "${sealed.id}" is not what was sealed: its sha256 is [0-9a-f]{64}, expected sha256 ${part?.sha256}`,
        ),
      ) as string,
      details: { next: `Use the recovery point before it: "${before.id}".`, place: name },
    });
    // What reads it without opening it first is refused as well.
    const ref = { id: sealed.id, digest: digestOf(sealed), startedAt: second };
    await expect(Array.fromAsync(readLedgerSnapshot(store, ref))).rejects.toMatchObject({
      code: 'RecoveryPointError',
    });
  });

  it('refuses a missing part, one that is not sealed, and what is no id', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    store.documents.delete(`${folderOf(1, sealed.id)}/${sealed.parts[0]?.name}`);
    await expect(openRecoveryPoint(store, sealed.id)).rejects.toMatchObject({
      message: expect.stringContaining('is missing, expected sha256') as string,
      details: { next: 'There is no recovery point before it: take one with "understudy replicate".' },
    });
    await expect(openRecoveryPoint(store, '2026-11-21T12-00-00.000Z-e1')).rejects.toMatchObject({
      message: 'there is no recovery point "2026-11-21T12-00-00.000Z-e1", or it was never sealed',
      details: { next: expect.stringContaining(`newest first: "${sealed.id}".`) },
    });
    await expect(openRecoveryPoint(store, '../pointer')).rejects.toMatchObject({
      code: 'RecoveryPointError',
    });
  });

  it('offers the newest few to who names one that is not there, and none where there is none', async () => {
    const store = fakeControlStore();
    await expect(openRecoveryPoint(store, 'nope')).rejects.toMatchObject({
      message: expect.stringContaining('"nope" is no id of a recovery point') as string,
      details: { next: 'There is none: take one with "understudy replicate".' },
    });
    const ids: string[] = [];
    for (const hour of ['10', '11', '12', '13'])
      ids.unshift((await seal(store, `2026-11-21T${hour}:00:00.000Z`)).id);
    await expect(openRecoveryPoint(store, 'nope')).rejects.toMatchObject({
      details: {
        next: `Name one that is there, or none for the newest; of 4, newest first: "${ids[0]}", "${ids[1]}", "${ids[2]}", ….`,
      },
    });
  });

  it('refuses a manifest that is not the one that was planned', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const ref = { id: sealed.id, digest: digestOf(sealed), startedAt: first };
    expect((await openByRef(store, ref)).sealed).toEqual(sealed);
    await store.write(
      `${folderOf(1, sealed.id)}/sealed.json`,
      JSON.stringify({ ...sealed, parts: [] }),
      'application/json',
    );
    await expect(openByRef(store, ref)).rejects.toMatchObject({
      code: 'RecoveryPointError',
      message: expect.stringContaining(`expected ${ref.digest}`) as string,
    });
  });
});

describe('parts', () => {
  it('hold a few thousand lines each, and are read one after the other', async () => {
    const store = fakeControlStore();
    const folder = folderOf(1, 'x');
    const writer = partWriter(store, folder, 'units');
    const unit = (index: number): PartLines['units'] => ({
      account: 'a',
      container: 'c',
      path: `p${index}`,
      places: [],
    });
    for (let index = 0; index < 4500; index++) await writer.add(unit(index));
    const parts = await writer.end();
    expect(parts.map(({ count }) => count)).toEqual([2000, 2000, 500]);
    expect(new Set(parts.map(({ name }) => name)).size).toBe(3);
    const kind: PartKind = 'units';
    const read = await Array.fromAsync(readLines(store, folder, parts, kind));
    expect(read).toHaveLength(4500);
    expect(read.at(-1)).toEqual(unit(4499));
    const more = partWriter(store, folder, 'units', parts);
    await more.add(unit(4500));
    expect((await more.end()).map(({ count }) => count)).toEqual([2000, 2000, 500, 1]);
  });
});
