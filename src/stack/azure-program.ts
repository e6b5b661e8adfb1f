/** The local Azure as a program: this product's one door to it, which only starts it. */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export const azureProgram = join(root, 'simulator', `main.${extension}`);

/** What the program prints with these options, for those with which it starts nothing. */
export async function askAzureProgram(...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [azureProgram, ...options]);
  return stdout;
}
