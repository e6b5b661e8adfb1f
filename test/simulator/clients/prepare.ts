/**
 * Puts Azure's clients of Python into the user's cache, where the tests find them: `node
 * test/simulator/clients/prepare.ts [azure-ai-ml] [az]`. Ends with 1, having said why, where that cannot be done: the
 * tests then skip what is not there.
 */

import { CLIENTS, prepareClient, type ClientName } from './find-clients.ts';

const TIMEOUT_MS = 300_000;

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !CLIENTS.some((known) => known === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown client "${unknown.join(' ')}": expected ${CLIENTS.join(' or ')}\n`);
  process.exit(2);
}
for (const name of asked.length > 0 ? (asked as ClientName[]) : CLIENTS) {
  const began = Date.now();
  try {
    const environment = prepareClient(name, TIMEOUT_MS);
    process.stdout.write(`${name}: ${environment} (${Math.round((Date.now() - began) / 1000)} s)\n`);
  } catch (error) {
    process.stderr.write(`${name} could not be installed: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
