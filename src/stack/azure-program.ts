/**
 * Starts the local Azure as a program. Nothing else in Understudy touches it. It is a package of its own, which an
 * installation may lack: the error then explains that.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UnderstudyError } from '../errors/error.ts';

const name = '@understudy-dr/local-azure';
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Returns the program's path: in this clone, or in the package next to Understudy.
 * Errors: UsageError if there is none.
 */
export function findAzureProgram(): string {
  const ofClone = join(root, 'simulator', 'bin', 'local-azure.mjs');
  if (existsSync(ofClone)) return ofClone;
  try {
    return createRequire(import.meta.url).resolve(`${name}/program`);
  } catch (cause) {
    throw new UnderstudyError(
      'UsageError',
      `cannot start the local Azure: its package "${name}" is not installed next to Understudy`,
      {
        next:
          'It is for trials and tests, and a package of its own. In a clone of Understudy: npm ci, then ' +
          './bin/understudy.mjs stack up. To protect a workspace of your own subscription you do not need it.',
        cause,
      },
    );
  }
}

/** Returns what the program prints with these options. Only for options that start nothing. */
export async function askAzureProgram(...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [findAzureProgram(), ...options]);
  return stdout;
}
