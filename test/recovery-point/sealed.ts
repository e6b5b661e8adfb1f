/** A small recovery point in a control store in memory. */
import { withDigest } from '../../src/recovery-point/recovery-point-checks.ts';
import { sealedName, writeManifest } from '../../src/recovery-point/sealed-manifest.ts';
import {
  folderOf,
  recoveryPointId,
  type Part,
  type PartKind,
  type PartLines,
  type SealedContent,
  type SealedManifest,
} from '../../src/recovery-point/manifest.ts';
import { partWriter } from '../../src/recovery-point/parts.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import type { FakeControlStore } from '../fakes/control-store.ts';

/** A line of the job ledger. */
export function entryNamed(name: string): LedgerEntry {
  return {
    lineageRoot: `eastus.fraud-east.${name}`,
    hop: 0,
    workspace: { subscriptionId: 's', resourceGroup: 'g', name: 'fraud-east' },
    region: 'eastus',
    name,
    type: 'Command',
    status: 'Running',
    lastSeenAt: '2026-11-21T10:00:05.000Z',
    spec: 'd'.repeat(64),
  };
}

interface Sealing {
  epoch?: number;
  region?: string;
  jobs?: LedgerEntry[];
  /** The jobs as Azure returned them; by default empty ones. */
  raw?: readonly RawJob[];
  /** Clusters of four nodes, by name. */
  clusters?: readonly string[];
  /** Lines of other parts. */
  more?: { [K in PartKind]?: readonly PartLines[K][] };
  /** What it holds otherwise. */
  change?: (content: SealedContent) => SealedContent;
}

/** Seals a recovery point of unfinished jobs and clusters, and nothing else. */
export async function seal(
  store: FakeControlStore,
  startedAt: string,
  {
    epoch = 1,
    region = 'eastus',
    jobs = [entryNamed('a'), entryNamed('b')],
    raw: rawJobs,
    clusters = [],
    more = {},
    change = (content) => content,
  }: Sealing = {},
): Promise<SealedManifest> {
  const id = recoveryPointId(startedAt, epoch);
  const writer = partWriter(store, folderOf(epoch, id), 'jobs');
  for (const job of jobs) await writer.add(job);
  const raw = partWriter(store, folderOf(epoch, id), 'raw-jobs');
  const empty = jobs.map((_, index) => ({ id: `/jobs/${index}`, name: `${index}`, type: 'jobs', properties: {} }));
  for (const job of rawJobs ?? empty) await raw.add(job);
  const computes = partWriter(store, folderOf(epoch, id), 'computes');
  for (const name of clusters) await computes.add({ id: `/computes/${name}`, name, type: 'computes', properties: {} });
  const others: Part[] = [];
  for (const [kind, lines] of Object.entries(more)) {
    const part = partWriter(store, folderOf(epoch, id), kind as PartKind);
    for (const line of lines) await part.add(line);
    others.push(...(await part.end()));
  }
  const sealed = withDigest(
    change({
      id,
      epoch,
      region,
      workspace: {
        subscriptionId: 's',
        resourceGroup: 'g',
        name: 'fraud-east',
        guid: 'x',
        location: region,
        associated: {},
      },
      startedAt,
      sealedAt: startedAt,
      run: 'r',
      parts: [...(await writer.end()), ...(await raw.end()), ...(await computes.end()), ...others],
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
        counts: { jobs: jobs.length, computes: clusters.length },
        blobs: 0,
        bytes: 0,
        computes: clusters.map((name) => ({ name, type: 'AmlCompute', vmSize: 'Standard_NC6', maxNodes: 4 })),
        endpoints: [],
        jobs: { Running: jobs.length },
        fuzzy: 0,
      },
    }),
  );
  await writeManifest(store, sealedName(epoch, id), sealed);
  return sealed;
}
