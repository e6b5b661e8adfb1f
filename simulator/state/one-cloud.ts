/**
 * One local Azure at a time on a state folder: a second would write a journal of its own, and what the first
 * acknowledges would be lost.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds that a local Azure which runs takes to answer. */
const ANSWER_MS = 2000;

/** Throws an Error naming the process if a local Azure runs on the folder (an absolute path), whatever ports it has. */
export async function requireAlone(folder: string): Promise<void> {
  const told = readTold(join(folder, 'cloud.json'));
  if (told === undefined) return;
  const running = await fetch(`${told.admin}/cloud`, { signal: AbortSignal.timeout(ANSWER_MS) })
    .then((answer) => answer.json() as Promise<Told | null>)
    .catch(() => undefined); // Nobody is there, or somebody else.
  // A folder that was copied tells of the cloud that runs on the other one.
  if (running?.pid !== told.pid || running.ca !== join(folder, 'ca.pem')) return;
  throw new Error(`a local Azure runs on "${folder}" already: process ${told.pid}, ${told.arm}`);
}

interface Told {
  admin: string;
  arm: string;
  ca: string;
  pid: number;
}

/** What the last cloud of the folder said of itself; undefined if it said nothing, or was cut short. */
function readTold(file: string): Told | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Told;
  } catch {
    return undefined;
  }
}
