/** A small recovery point in a control store in memory. */
import { folderOf, recoveryPointId, type SealedManifest } from '../../src/artifacts/manifest.ts';
import { partWriter } from '../../src/artifacts/parts.ts';
import { withDigest } from '../../src/artifacts/recovery-point-checks.ts';
import type { FakeControlStore } from '../fakes/control-store.ts';

/** Seals a recovery point of unfinished jobs and nothing else. */
export async function seal(
  store: FakeControlStore,
  startedAt: string,
  { epoch = 1, region = 'eastus', jobs = [{ name: 'a' }, { name: 'b' }] as unknown[] } = {},
): Promise<SealedManifest> {
  const id = recoveryPointId(startedAt, epoch);
  const writer = partWriter(store, folderOf(epoch, id), 'jobs');
  for (const job of jobs) await writer.add(job);
  const raw = partWriter(store, folderOf(epoch, id), 'raw-jobs');
  for (const [index] of jobs.entries())
    await raw.add({ id: `/jobs/${index}`, name: `${index}`, type: 'jobs', properties: {} });
  const sealed = withDigest({
    version: 1,
    id,
    epoch,
    region,
    workspace: {
      subscriptionId: 's',
      resourceGroup: 'g',
      name: 'w',
      guid: 'x',
      location: region,
      associated: {},
    },
    startedAt,
    sealedAt: startedAt,
    run: 'r',
    parts: [...(await writer.end()), ...(await raw.end())],
    accounts: [],
    shared: [],
    sharing: { things: [], inBoth: [] },
    replica: { accountId: '/a', account: 'a', container: 'c' },
    fuzzy: [],
    secrets: [],
    leftBehind: [],
    summary: {
      epoch,
      region,
      counts: { jobs: jobs.length },
      blobs: 0,
      bytes: 0,
      computes: [],
      endpoints: [],
      jobs: { Running: jobs.length },
      fuzzy: 0,
    },
  });
  await store.swap(`${folderOf(epoch, id)}/sealed.json`, sealed, undefined);
  return sealed;
}
