import { join } from 'node:path';
import { readConfigFile } from '../config-file.ts';
import { collectRefusals, ConfigError } from '../error.ts';
import { replaceFile } from '../write.ts';
import type { GitWorkingCopy } from './git.ts';
import { patienceMs, requireUnlocked } from './git-checks.ts';

/** A file that was written, but is not committed. */
export interface WrittenFile {
  path: string;
  before: Buffer;
  after: Buffer;
}

/**
 * Restores files that were written but could not be committed, and takes them out of the index. A file that holds
 * neither content is a person's and stays, unless a hook may have written it.
 */
export async function putBack(
  copy: GitWorkingCopy,
  branch: string,
  files: readonly WrittenFile[],
  hookMayHaveWritten: boolean,
): Promise<void> {
  for (const { path, before, after } of files) {
    const current = { ...(await readConfigFile(join(copy.path, path), copy.path)), file: path };
    const isOurs = hookMayHaveWritten || current.bytes.equals(after);
    if (isOurs && !current.bytes.equals(before)) await replaceFile(current, before);
  }
  await requireUnlocked(copy, branch, patienceMs);
  const paths = files.map(({ path }) => path);
  await copy.runOn(paths, ['reset', '--quiet']);
}

/** Runs `work`. If it is refused, runs `restore`, and throws what refused it; a failure of that is attached. */
export async function orPutBack<Result>(work: () => Promise<Result>, restore: () => Promise<void>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const refused: ConfigError[] = [];
    await collectRefusals(refused, restore);
    error.others = [...error.others, ...refused];
    throw error;
  }
}
