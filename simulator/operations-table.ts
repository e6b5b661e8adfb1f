/**
 * The table of `README.md` that says of each operation Azure publishes for Machine Learning whether it is offered here. Run after a row
 * has come or gone: `node simulator/operations-table.ts` writes it anew. A test holds the README to it.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machineLearning } from './providers/machinelearning/index.ts';
import { OFFERED_BESIDE_ROWS } from './providers/machinelearning/locations.ts';
import { isOffered, published, type PublishedOperation } from './providers/machinelearning/unoffered.ts';

const START = '<!-- operations: written by simulator/operations-table.ts -->';
const END = '<!-- end of operations -->';

/** Whether the local Azure offers a published operation of Machine Learning; the others are refused with 501. */
export function offers(operation: PublishedOperation): boolean {
  return isOffered(operation, machineLearning.types, OFFERED_BESIDE_ROWS);
}

/** The table, in Markdown: a line for each group of operations, each operation by its published name. */
function operationsTable(): string {
  const groups = new Map<string, { offered: string[]; refused: string[] }>();
  for (const operation of published) {
    const [group = '', name = ''] = operation.id.split('_');
    const entry = groups.get(group) ?? { offered: [], refused: [] };
    groups.set(group, entry);
    (offers(operation) ? entry.offered : entry.refused).push(name);
  }
  const rows = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, { offered, refused }]) => `| \`${group}_\` | ${names(offered)} | ${names(refused)} |`);
  const count = published.filter(offers).length;
  return [
    `${count} of the ${published.length} operations of api-version 2024-04-01 conform, ${published.length - count} are not offered (501).`,
    '',
    '| operations | conform | not offered |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

/**
 * The text with the table between its two marks.
 *
 * Errors: Error if a mark is missing.
 */
export function withTable(readme: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start)
    throw new Error(`simulator/README.md: expected the lines "${START}" and "${END}", in this order`);
  return `${readme.slice(0, start + START.length)}\n\n${operationsTable()}\n\n${readme.slice(end)}`;
}

function names(operations: readonly string[]): string {
  return operations.toSorted().join(', ');
}

if (import.meta.main) {
  const file = fileURLToPath(new URL('README.md', import.meta.url));
  writeFileSync(file, withTable(readFileSync(file, 'utf8')));
}
