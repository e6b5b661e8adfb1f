/**
 * Copying blobs from server to server, on the local Azure: `copyBlobs` and `restoreBlobs` against a plain loop of
 * syncCopyFromURL with the same concurrency, and against azcopy where it is installed.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replicaContainer } from '../../src/recovery-point/manifest.ts';
import { restoreBlobs } from '../../src/blobs/restore-blobs.ts';
import { Topology } from '../../src/topology/topology.ts';
import { apiVersions } from '../../src/azure/azure.ts';
import { textField } from '../azure-fields.ts';
import { diskStore } from '../disk-store.ts';
import { countOf, machine, median, print, timed, type Figure } from '../figures.ts';
import { makeWorkspaces, startLocalAzure, type LocalAzure, type Workspaces } from '../local-azure.ts';
import type { Benchmark } from '../benchmark.ts';
import { replicate, startStepRun } from '../step-runs.ts';
import { findAzcopy, runAzcopy } from './azcopy.ts';
import { countBlobs, plainLoop, upload, type Load, type Place } from './plain-loop.ts';

export const benchmark: Benchmark = {
  summary: 'copyBlobs and restoreBlobs against a plain loop of syncCopyFromURL and against azcopy, on the local Azure',
  options: {
    rounds: { default: '3', help: 'how often each contender copies; the median counts' },
    concurrency: { default: '16', help: 'copies under way at a time, for all contenders' },
    small: { default: '1000', help: 'blobs of 4 KiB' },
    large: { default: '20', help: 'blobs of 8 MiB' },
  },
  async run(values) {
    const rounds = countOf('rounds', values.rounds);
    const concurrency = countOf('concurrency', values.concurrency);
    const small = countOf('small', values.small);
    const large = countOf('large', values.large);
    const loads: Load[] = [
      { blobs: small, sizeBytes: 4096, name: `${small.toLocaleString('en')} × 4 KiB` },
      { blobs: large, sizeBytes: 8 * 1024 * 1024, name: `${large} × 8 MiB` },
    ];
    console.log(machine());
    for (const load of loads) await measure(load, rounds, concurrency);
  },
};

/** Seconds of each round. */
type Times = Record<'copyBlobs' | 'restoreBlobs' | 'plain' | 'readBack' | 'azcopy', number[]>;

/** A new local Azure for each load: Azurite grows slower with what it holds. */
async function measure(load: Load, rounds: number, concurrency: number): Promise<void> {
  const azcopy = findAzcopy(process.env);
  const folder = mkdtempSync(join(tmpdir(), 'understudy-bench-copy-'));
  const local = await startLocalAzure();
  try {
    const sides = await makeWorkspaces(local.address);
    const times: Times = { copyBlobs: [], restoreBlobs: [], plain: [], readBack: [], azcopy: [] };
    for (let round = 0; round < rounds; round++) {
      const scene = { local, sides, load, round, concurrency, folder };
      const from: Place = {
        account: sides.eastAccount,
        container: sides.container,
        folder: `bench/round-${round}/`,
      };
      await upload(from, load, randomBytes(load.sizeBytes));
      const turns = [
        () => product(scene, from, times),
        () => plain(scene, from, times, false),
        () => plain(scene, from, times, true),
        ...(azcopy === undefined ? [] : [() => byAzcopy(scene, from, times, azcopy)]),
      ];
      for (const turn of [...turns.slice(round % turns.length), ...turns.slice(0, round % turns.length)]) await turn();
    }
    show(load, times, azcopy);
  } finally {
    await local.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Scene {
  local: LocalAzure;
  sides: Workspaces;
  load: Load;
  round: number;
  concurrency: number;
  folder: string;
}

async function product({ sides, load, round, concurrency, folder }: Scene, from: Place, times: Times): Promise<void> {
  const { azure } = sides;
  const path = from.folder.replace(/\/$/, '');
  const artifacts = { concurrency, paths: [{ datastore: 'workspaceblobstore', path }] };
  const topology = Topology.parse({ ...sides.topology, artifacts });
  const store = diskStore(join(folder, `store-${round}`));
  const run = startStepRun({ azure, store, topology, operation: 'replicate', epoch: round + 1 });
  const recoveryPoint = await replicate(run, async (step, work) => {
    const seconds = await timed(work);
    if (step === 'copy') times.copyBlobs.push(seconds);
  });
  const failover = startStepRun({ azure, store, topology, operation: 'failover', recoveryPoint });
  times.restoreBlobs.push(await timed(() => failover.step('restore', 'restoreBlobs', restoreBlobs)));
  const { account, container } = { account: sides.westAccount, container: await standbyContainer(sides) };
  await check('copyBlobs', { account, container: replicaContainer, folder: `epochs/${round + 1}/` }, load);
  await check('restoreBlobs', { account, container, folder: from.folder }, load);
}

async function standbyContainer({ azure, west }: Workspaces): Promise<string> {
  const datastore = await azure.arm.get(`${west}/datastores/workspaceblobstore`, apiVersions.machineLearning);
  return textField(datastore, 'containerName');
}

async function plain(
  { sides, load, round, concurrency }: Scene,
  from: Place,
  times: Times,
  readBack: boolean,
): Promise<void> {
  const container = readBack ? 'read-back' : 'plain';
  const to: Place = { account: sides.westAccount, container, folder: `round-${round}/` };
  const seconds = await timed(() => plainLoop({ from, to, concurrency, readBack }));
  times[readBack ? 'readBack' : 'plain'].push(seconds);
  await check('the plain loop', to, load);
}

async function byAzcopy(scene: Scene, from: Place, times: Times, program: string): Promise<void> {
  const { sides, load, round, concurrency, folder, local } = scene;
  const to: Place = { account: sides.westAccount, container: 'azcopy', folder: `round-${round}/` };
  const run = { program, address: local.address, from, to, concurrency, folder };
  times.azcopy.push(await timed(() => runAzcopy(run)));
  await check('azcopy', to, load);
}

async function check(who: string, place: Place, { blobs, sizeBytes }: Load): Promise<void> {
  const found = await countBlobs(place);
  if (found.blobs === blobs && found.bytes === blobs * sizeBytes) return;
  throw new Error(
    `${who}: expected ${blobs} blobs with ${blobs * sizeBytes} bytes at ${place.container}/${place.folder}, found ${found.blobs} with ${found.bytes}`,
  );
}

function show(load: Load, times: Times, azcopy: string | undefined): void {
  const isSmall = load.sizeBytes < 1024 * 1024;
  const unit = isSmall ? 'blobs/s' : 'MiB/s';
  const amount = isSmall ? load.blobs : (load.blobs * load.sizeBytes) / 1024 / 1024;
  const rate = (seconds: readonly number[]) => amount / median(seconds);
  const against = (what: 'copyBlobs' | 'restoreBlobs', peer: keyof Times, name: string): Figure => ({
    what,
    value: rate(times[what]),
    unit,
    peer: { name, value: rate(times[peer]) },
  });
  const figures = [
    against('copyBlobs', 'readBack', 'plain loop that reads back'),
    against('copyBlobs', 'plain', 'plain loop'),
    ...(azcopy === undefined ? [] : [against('copyBlobs', 'azcopy', 'azcopy')]),
    against('restoreBlobs', 'plain', 'plain loop'),
    ...(azcopy === undefined ? [] : [against('restoreBlobs', 'azcopy', 'azcopy')]),
  ];
  print(`copy: ${load.name}`, figures, [
    'copyBlobs also lists the source again, reads each copy through, and compares digests; azcopy and the plain loop only copy.',
    ...(azcopy === undefined ? ['azcopy: not found on PATH nor in AZCOPY, so not measured.'] : []),
  ]);
}
