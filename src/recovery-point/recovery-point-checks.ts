/** Checks a seal against itself: its digest, and counts that must match its parts. */
import { unfinishedJobs } from '../plan/recovery-point-summary.ts';
import { createHash } from 'node:crypto';
import { canonical } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { assetTypeNames } from '../workspace/asset-types.ts';
import type { PartKind, SealedContent, SealedManifest } from './manifest.ts';
import { countLines } from './parts.ts';

/**
 * Returns the sha256 hex of the canonical form of a seal without its own digest. `RecoveryPointRef` uses the same
 * digest.
 */
export function digestOfSeal(sealed: SealedContent): string {
  return createHash('sha256')
    .update(canonical({ ...sealed, digest: undefined }))
    .digest('hex');
}

/** Adds the digest to a manifest. */
export function withDigest(content: SealedContent): SealedManifest {
  return { ...content, digest: digestOfSeal(content) };
}

/**
 * Checks a seal. `place`: where it was read, or will be written.
 * Errors: RecoveryPointError if the digest does not match, or the summary does not match the parts.
 */
export function checkSeal(sealed: SealedManifest, place: string): void {
  const found = digestOfSeal(sealed);
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

/** The name in `summary.counts` for each kind of part whose lines are all counted. */
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

/** A plan announces work from the summary, but the work is done from the parts: the two must match. */
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
  // The counts are of versions. The parts also have lines for the containers.
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
