/** What one file of a target becomes, and whether somebody has changed the result. Only reads. */
import type { ConfigFile } from './config-file.ts';
import { diffConfig } from './diff.ts';
import { collectRefusals } from './error.ts';
import { findOriginal } from './original.ts';
import type { ConfigFileOutcome, LookRequest } from './outcome.ts';
import { decodeConfig, restoreConfig, rewriteConfig, type RewrittenConfig } from './rewrite.ts';

/** What the content of a file depends on, besides the file. */
export type Rewriting = Pick<LookRequest, 'target' | 'mapping' | 'backFrom'>;

/** A file's new content, and what it replaces. */
export interface RewrittenFile extends RewrittenConfig {
  before: string;
  /** The new content is the file's original. */
  isOriginal: boolean;
  /** Why it is not, although the run whose move is reversed wrote the file. */
  reason?: string;
}

/**
 * Returns a file's original content, if the run whose move is reversed wrote the file and nobody has edited it since;
 * otherwise rewrites its references. Throws ConfigError as `rewriteConfig`.
 */
export async function rewriteFile(
  current: ConfigFile,
  { target: { format }, mapping, backFrom }: Rewriting,
): Promise<RewrittenFile> {
  const { file, bytes } = current;
  const before = decodeConfig(file, bytes);
  const original = backFrom && (await findOriginal(current, backFrom));
  if (original && 'bytes' in original) {
    const restored = restoreConfig({ file, format, content: before, original: decodeConfig(file, original.bytes) });
    return { ...restored, before, isOriginal: true };
  }
  return { ...rewriteConfig({ file, format, content: before, mapping }), before, isOriginal: false, ...original };
}

/** Returns what is told of a rewritten file. */
export function outcomeOf(
  file: string,
  rewritten: RewrittenFile,
  { target: { format } }: Rewriting,
): ConfigFileOutcome {
  const { before, content, changes, warnings, isOriginal, reason } = rewritten;
  return {
    file,
    status: changes.length === 0 ? 'unchanged' : isOriginal ? 'restored' : 'changed',
    ...(reason === undefined ? {} : { reason }),
    changes,
    warnings,
    diff: diffConfig({ file, before, after: content, format }),
  };
}

/**
 * Whether somebody's changes of a file came on top of this rewriting: fewer values than before name the old workspace,
 * and something names the new one. False if the file cannot be parsed: then it is somebody's altogether.
 */
export async function isPartlyOurs(
  file: string,
  { before, now }: { before: Buffer; now: Buffer },
  { target, mapping }: Rewriting,
): Promise<boolean> {
  if (!now.toString('utf8').toLowerCase().includes(mapping.to.name.toLowerCase())) return false;
  const count = (bytes: Buffer): number =>
    rewriteConfig({ file, content: decodeConfig(file, bytes), mapping, format: target.format }).changes.length;
  return (await collectRefusals([], () => Promise.resolve(count(now) < count(before)))) ?? false;
}
