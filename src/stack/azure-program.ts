/**
 * The local Azure as a program: this product's one door to it, which only starts it. It is a package of its own, so an
 * installed product may be without it: then this is where the reader learns so.
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

/** The path of the program: that of this clone, else of the package installed next to the product. UsageError: there is none. */
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

/** What the program prints with these options, for those with which it starts nothing. */
export async function askAzureProgram(...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [findAzureProgram(), ...options]);
  return stdout;
}
