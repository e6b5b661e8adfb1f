/** What a recovery point's seal says of itself: its own digest, and counts that must be those of its parts. */
import { createHash } from 'node:crypto';
import { canonical } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import type { PartKind, SealedContent, SealedManifest, SummaryBody } from './manifest.ts';
import { countLines } from './parts.ts';

/** sha256 hex of the canonical form of all that a seal holds but its own digest: also the digest of a `RecoveryPointRef`. */
export function digestOf(sealed: SealedContent): string {
  return createHash('sha256')
    .update(canonical({ ...sealed, digest: undefined }))
    .digest('hex');
}

export function withDigest(content: SealedContent): SealedManifest {
  return { ...content, digest: digestOf(content) };
}

/** `place`: where it was read, or is to be written. Errors: RecoveryPointError if the seal is not what was sealed, or its summary does not say what its parts hold. */
export function checkSeal(sealed: SealedManifest, place: string): void {
  const found = digestOf(sealed);
  if (sealed.digest !== found) {
    throw new UnderstudyError(
      'RecoveryPointError',
      `the seal ${place} is not what was sealed: its sha256 is ${found}, expected ${sealed.digest}`,
      { place },
    );
  }
  const differences = differencesOf(sealed);
  if (differences.length === 0) return;
  throw new UnderstudyError(
    'RecoveryPointError',
    `the summary in ${place} is not that of its parts: ${differences.join('; ')}`,
    { place },
  );
}

/** What a part's lines are counted as in `summary.counts`, where every line counts. */
const countedAs = {
  datastores: 'datastores',
  connections: 'connections',
  schedules: 'schedules',
  endpoints: 'endpoints',
  deployments: 'deployments',
  computes: 'computes',
  'raw-jobs': 'jobs',
  jobs: 'jobs',
  units: 'folders',
  blobs: 'blobs',
} as const satisfies Partial<Record<PartKind, string>>;

/** The work that a plan announces is counted from the summary; what is done is read from the parts. */
function differencesOf({ parts, secrets, fuzzy, summary }: SealedContent): string[] {
  const lines = (kind: PartKind) => ({ where: `parts "${kind}"`, count: countLines(parts, kind) });
  const compared = [
    ...Object.entries(countedAs).map(([kind, name]) => ({
      name: `counts.${name}`,
      says: summary.counts[name] ?? 0,
      ...lines(kind as keyof typeof countedAs),
    })),
    { name: 'blobs', says: summary.blobs, ...lines('blobs') },
    { name: 'jobs', says: unfinishedJobs(summary), ...lines('jobs') },
    { name: 'computes', says: summary.computes.length, ...lines('computes') },
    { name: 'endpoints', says: summary.endpoints.length, ...lines('endpoints') },
    {
      name: 'counts.secrets',
      says: summary.counts['secrets'] ?? 0,
      where: 'list "secrets"',
      count: secrets.length,
    },
    { name: 'fuzzy', says: summary.fuzzy, where: 'list "fuzzy"', count: fuzzy.length },
  ];
  // Versions are counted; the lines are those of the containers besides.
  const assets = assetTypeNames.flatMap((type) => {
    const [says, { where, count }] = [summary.counts[type] ?? 0, lines(type)];
    return count < says ? [`counts.${type} says ${says}, its ${where}: ${count} at most`] : [];
  });
  return [
    ...compared
      .filter(({ says, count }) => says !== count)
      .map(({ name, says, where, count }) => `${name} says ${says}, its ${where}: ${count}`),
    ...assets,
  ];
}

/** How many jobs a plan says were unfinished. */
export function unfinishedJobs({ jobs }: Pick<SummaryBody, 'jobs'>): number {
  return Object.values(jobs).reduce((sum, count) => sum + count, 0);
}
