/** Recovery points in the control store: which is the newest, and what is refused. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { folderOf, type PartKind, type PartLines } from '../../src/recovery-point/manifest.ts';
import { partWriter, readableLines, readLines } from '../../src/recovery-point/parts.ts';
import { listRecoveryPoints, sealedIds } from '../../src/recovery-point/list-points.ts';
import { summarise } from '../../src/recovery-point/read-seal.ts';
import {
  digestOfSeal,
  openByRef,
  openRecoveryPoint,
  readLedgerSnapshot,
} from '../../src/recovery-point/recovery-point.ts';
import type { ArmResource } from '../../src/azure/azure.ts';
import { sealedName } from '../../src/recovery-point/sealed-manifest.ts';
import { release } from '../../src/release.ts';
import { ensurePointer } from '../../src/control-store/region-pointer.ts';
import { counting } from '../fakes/counting-store.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { topologyOf } from '../topology/minimal.ts';
import { entryNamed, seal } from './sealed.ts';

const first = '2026-11-21T10:00:00.000Z';
const second = '2026-11-21T11:00:00.000Z';

describe('a list of recovery points', () => {
  it('has the newest epoch first, whatever an older one seals late', async () => {
    const store = fakeControlStore();
    await seal(store, first, { epoch: 2 });
    await seal(store, '2026-11-21T09:00:00.000Z', { epoch: 1 });
    await seal(store, second, { epoch: 1, region: 'westus3' });
    await seal(store, second, { epoch: 10 });
    const ids = async (options = {}) => (await listRecoveryPoints(store, options)).sealed.map(({ ref }) => ref.id);
    expect(await ids()).toEqual([
      '2026-11-21T11-00-00.000Z-e10',
      '2026-11-21T10-00-00.000Z-e2',
      '2026-11-21T11-00-00.000Z-e1',
      '2026-11-21T09-00-00.000Z-e1',
    ]);
    expect(await ids({ limit: 1 })).toHaveLength(1);
    expect(await ids({ limit: 1, region: 'westus3' })).toEqual(['2026-11-21T11-00-00.000Z-e1']);
  });

  it('costs as much after two as after two hundred, also where the other region has the newest', async () => {
    const costOf = async (count: number) => {
      const store = fakeControlStore();
      const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000).toISOString();
      for (let index = 0; index < count; index++) {
        await seal(store, at(3000 + index * 15), { epoch: 1 });
        await seal(store, at(index), { epoch: 2, region: 'westus3' });
      }
      const counted = counting(store);
      const { sealed } = await listRecoveryPoints(counted.store, { region: 'westus3', limit: 2 });
      expect(sealed).toHaveLength(2);
      expect((await listRecoveryPoints(counted.store, { region: 'eastus', limit: 1 })).sealed).toHaveLength(1);
      expect(await sealedIds(counted.store, { limit: 2 })).toHaveLength(2);
      return counted.asked.reads;
    };
    expect(await costOf(200)).toBe(await costOf(2));
  });

  it('tells what was never sealed and what is damaged from what is whole', async () => {
    const store = fakeControlStore();
    const whole = await seal(store, first);
    const damaged = await seal(store, second);
    await partWriter(store, folderOf(1, '2026-11-21T12-00-00.000Z-e1'), 'jobs').add(entryNamed('a'));
    await store.write('epochs/1/recovery-points/2026-11-21T12-00-00.000Z-e1/blobs/x.ndjson', '{}', 'text/plain');
    const name = `${folderOf(1, damaged.id)}/sealed.json`;
    const { text } = store.documents.get(name) ?? { text: '' };
    await store.write(name, text.slice(0, 100), 'application/json');
    expect(await listRecoveryPoints(store)).toMatchObject({
      sealed: [{ ref: { id: whole.id } }],
      damaged: [{ id: damaged.id, reason: expect.stringContaining('is not JSON') as string }],
      unsealed: ['2026-11-21T12-00-00.000Z-e1'],
    });
  });
});

describe('opening a recovery point', () => {
  it('answers its manifest and its digest', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const open = await openRecoveryPoint(store, sealed.id);
    expect(open).toEqual({ sealed, ref: { id: sealed.id, digest: digestOfSeal(sealed), startedAt: first } });
    expect(summarise(open)).toEqual({ ref: open.ref, ...sealed.summary });
    expect(await Array.fromAsync(readLedgerSnapshot(store, open.ref))).toEqual([entryNamed('a'), entryNamed('b')]);
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
      details: { next: `Use the one before it: --recovery-point ${before.id}`, place: name },
    });
    // What reads it without opening it first is refused as well.
    const ref = { id: sealed.id, digest: digestOfSeal(sealed), startedAt: second };
    await expect(Array.fromAsync(readLedgerSnapshot(store, ref))).rejects.toMatchObject({
      code: 'RecoveryPointError',
    });
  });

  it('offers none of another region in place of one that is damaged', async () => {
    const store = fakeControlStore();
    const own = await seal(store, '2026-11-21T09:00:00.000Z', { epoch: 2, region: 'westus3' });
    await seal(store, first, { epoch: 3 });
    const damaged = await seal(store, second, { epoch: 4, region: 'westus3' });
    store.documents.delete(`${folderOf(4, damaged.id)}/${damaged.parts[0]?.name}`);
    await expect(openRecoveryPoint(store, damaged.id)).rejects.toMatchObject({
      details: { next: `Use the one before it: --recovery-point ${own.id}` },
    });
  });

  it('offers none of which a part is missing too, and the writer’s where the damaged one does not tell its region', async () => {
    const store = fakeControlStore();
    await ensurePointer(store, { topology: topologyOf(''), who: 'a test', now: new Date(first) });
    const whole = await seal(store, '2026-11-21T08:00:00.000Z', { epoch: 1 });
    await seal(store, '2026-11-21T09:00:00.000Z', { epoch: 2, region: 'westus3' });
    const before = await seal(store, first, { epoch: 3 });
    store.documents.delete(`${folderOf(3, before.id)}/${before.parts[0]?.name}`);
    const damaged = await seal(store, second, { epoch: 3 });
    await store.write(sealedName(3, damaged.id), 'no JSON', 'application/json');
    await expect(openRecoveryPoint(store, damaged.id)).rejects.toMatchObject({
      details: { next: `Use the one before it: --recovery-point ${whole.id}` },
    });
    store.documents.delete(`${folderOf(1, whole.id)}/${whole.parts[0]?.name}`);
    await expect(openRecoveryPoint(store, damaged.id)).rejects.toMatchObject({
      details: {
        next: 'None of the 3 before it can be used in its place: take one with "understudy replicate".',
      },
    });
  });

  it('reads its parts side by side, and names the first that is damaged, however soon it is read', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const [one, other] = sealed.parts.map((part) => `${folderOf(1, sealed.id)}/${part.name}`);
    store.documents.delete(one ?? '');
    store.documents.delete(other ?? '');
    const asked: string[] = [];
    const slow = (name: string) => {
      asked.push(name);
      return new Promise<undefined>((resolve) => setTimeout(resolve, name === one ? 20 : 0, undefined));
    };
    const opened = openRecoveryPoint({ ...store, readText: slow }, sealed.id);
    await expect(opened).rejects.toMatchObject({ details: { place: one } });
    expect(asked).toEqual([one, other]);
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
    for (const hour of ['10', '11', '12', '13']) ids.unshift((await seal(store, `2026-11-21T${hour}:00:00.000Z`)).id);
    await expect(openRecoveryPoint(store, 'nope')).rejects.toMatchObject({
      details: {
        next: `Name one that is there, or none for the newest; of 4, newest first: "${ids[0]}", "${ids[1]}", "${ids[2]}", ….`,
      },
    });
  });

  it('refuses a manifest that is not the one that was planned', async () => {
    const store = fakeControlStore();
    const sealed = await seal(store, first);
    const ref = { id: sealed.id, digest: digestOfSeal(sealed), startedAt: first };
    expect((await openByRef(store, ref)).sealed).toEqual(sealed);
    const other = { ...sealed, parts: [], version: 2, release };
    await store.write(sealedName(1, sealed.id), JSON.stringify(other), 'application/json');
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

  const resource = {
    id: '/w/x',
    name: 'x',
    type: 'T',
    location: null,
    identity: { type: 'SystemAssigned' },
    properties: { tags: null, nested: { list: [1, { deep: true }] } },
  } as unknown as ArmResource;
  const place = { account: 'a', container: 'c', path: 'p/q' };
  const blob = { ...place, assets: ['models/fraud/4'], classes: ['inference'] as ['inference'], unit: 'p' };
  const copied = { etag: 'e', sizeBytes: 7, sha256: 's', md5: 'm', replica: 'r' };
  const headers = {
    writtenAt: first,
    contentType: 'text/plain',
    contentEncoding: 'gzip',
    contentLanguage: 'en',
    contentDisposition: 'inline',
    cacheControl: 'no-store',
    metadata: { Team: 'fraud' },
  };
  const asset = { name: 'fraud', version: '4', resource };
  const growing = { asset: 'jobs/a', path: 'p', class: 'training', growing: true } as const;
  const lines: { [K in PartKind]: PartLines[K][] } = {
    codes: [{ type: 'codes', ...asset }],
    environments: [{ type: 'environments', ...asset }],
    models: [
      { type: 'models', ...asset },
      { type: 'models', name: 'fraud', resource },
    ],
    data: [{ type: 'data', ...asset }],
    components: [{ type: 'components', ...asset }],
    datastores: [resource],
    connections: [resource],
    schedules: [resource],
    endpoints: [resource],
    deployments: [resource],
    computes: [resource],
    'raw-jobs': [resource],
    jobs: [entryNamed('a'), { ...entryNamed('b'), gpus: 8, passedOver: { name: 'c-2', why: 'w' } }],
    'job-outputs': [{ job: 'a', output: 'artifacts', datastore: 'd', path: 'p' }],
    units: [{ ...place, places: [growing] }],
    blobs: [
      { ...blob, ...copied },
      { ...blob, ...copied, ...headers },
    ],
    fuzzy: [
      { ...place, assets: [], copied: false },
      { ...place, assets: [], copied: true, etag: 'e', late: true },
    ],
  };

  it.each(Object.keys(lines) as PartKind[])('of kind %s lose nothing', async (kind) => {
    const store = fakeControlStore();
    const writer = partWriter(store, folderOf(1, 'x'), kind);
    for (const line of lines[kind]) await writer.add(line);
    const read = await Array.fromAsync(readLines(store, folderOf(1, 'x'), await writer.end(), kind));
    expect(read).toEqual(lines[kind]);
    expect(JSON.stringify(read)).toHaveLength(JSON.stringify(lines[kind]).length);
  });

  it('are not written with a line that could not be read again', async () => {
    const writer = partWriter(fakeControlStore(), folderOf(1, 'x'), 'blobs');
    await expect(writer.add({ ...blob, ...copied, sizeBytes: NaN })).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringMatching(
        /^a line of the part "blobs" of recovery point "x" was not written, since it could not be read again: sizeBytes: Invalid input/,
      ),
    });
  });

  it('with a line of another form are refused by name and line, or passed over', async () => {
    const store = fakeControlStore();
    const folder = folderOf(1, 'x');
    const text = [
      { ...blob, ...copied },
      { ...blob, ...copied, sizeBytes: '7' },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    await store.write(`${folder}/blobs/b.ndjson`, text, 'application/x-ndjson');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const part = { kind: 'blobs', name: 'blobs/b.ndjson', sha256, count: 2, bytes: text.length } as const;
    const message =
      'part "blobs/b.ndjson" of recovery point "x", line 2: sizeBytes: Invalid input: expected number, received string';
    await expect(Array.fromAsync(readLines(store, folder, [part], 'blobs'))).rejects.toMatchObject({
      code: 'RecoveryPointError',
      message,
      details: { place: `${folder}/blobs/b.ndjson` },
    });
    const problems: string[] = [];
    const onDamage = (_part: unknown, problem: string) => problems.push(problem);
    expect(await Array.fromAsync(readableLines(store, folder, [part], { kind: 'blobs', onDamage }))).toEqual([]);
    expect(problems).toEqual([message]);
  });
});
