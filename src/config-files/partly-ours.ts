import { collectRefusals } from './error.ts';
import type { ConfigRequest } from './outcome.ts';
import { decodeConfig, rewriteConfig } from './rewrite.ts';

/**
 * Whether somebody's changes of a file came on top of this rewriting: fewer values than before name the old workspace,
 * and something names the new one. False if the file cannot be parsed: then it is somebody's altogether.
 */
export async function isPartlyOurs(
  file: string,
  { before, now }: { before: Buffer; now: Buffer },
  { target, mapping }: Pick<ConfigRequest, 'target' | 'mapping'>,
): Promise<boolean> {
  if (!now.toString('utf8').includes(mapping.to.name)) return false;
  const count = (bytes: Buffer): number =>
    rewriteConfig({ file, content: decodeConfig(file, bytes), mapping, format: target.format }).changes.length;
  return (await collectRefusals([], () => Promise.resolve(count(now) < count(before)))) ?? false;
}
