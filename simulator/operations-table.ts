/**
 * The tables of `README.md` that say of each operation Azure publishes for Machine Learning and for resources whether
 * it is offered here. Run after a row has come or gone: `node simulator/operations-table.ts` writes them anew. A test
 * holds the README to it.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machineLearning } from './machinelearning/index.ts';
import { OFFERED_BESIDE_ROWS } from './machinelearning/computes/locations.ts';
import { isOffered, published } from './machinelearning/unoffered.ts';
import type { PublishedOperation } from './resource/published.ts';
import { offersOnResources, publishedResources } from './groups/published.ts';

const END = '<!-- end of operations -->';

/** A table of the README: the mark it stands behind, what it is of, and what of it is offered. */
interface Table {
  start: string;
  version: string;
  operations: readonly PublishedOperation[];
  offers: (operation: PublishedOperation) => boolean;
}

const TABLES: readonly Table[] = [
  {
    start: '<!-- operations: written by simulator/operations-table.ts -->',
    version: '2024-04-01',
    operations: published,
    offers,
  },
  {
    start: '<!-- operations on resources: written by simulator/operations-table.ts -->',
    version: '2024-03-01',
    operations: publishedResources,
    offers: offersOnResources,
  },
];

/** Whether the local Azure offers a published operation of Machine Learning; the others are refused with 501. */
export function offers(operation: PublishedOperation): boolean {
  return isOffered(operation, machineLearning.types, OFFERED_BESIDE_ROWS);
}

/** The table, in Markdown: a line for each group of operations, each operation by its published name. */
function operationsTable({ operations, offers, version }: Table): string {
  const groups = new Map<string, { offered: string[]; refused: string[] }>();
  for (const operation of operations) {
    const [group = '', name = ''] = operation.id.split('_');
    const entry = groups.get(group) ?? { offered: [], refused: [] };
    groups.set(group, entry);
    (offers(operation) ? entry.offered : entry.refused).push(name);
  }
  const rows = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, { offered, refused }]) => `| \`${group}_\` | ${names(offered)} | ${names(refused)} |`);
  const count = operations.filter(offers).length;
  return [
    `${count} of the ${operations.length} operations of api-version ${version} conform, ${operations.length - count} are not offered (501).`,
    '',
    '| operations | conform | not offered |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

/**
 * The text with each table between its two marks.
 *
 * Errors: Error if a mark is missing.
 */
export function withTable(readme: string): string {
  return TABLES.reduce((text, table) => {
    const start = text.indexOf(table.start);
    const end = text.indexOf(END, start);
    if (start < 0 || end < start)
      throw new Error(`simulator/README.md: expected the lines "${table.start}" and "${END}", in this order`);
    return `${text.slice(0, start + table.start.length)}\n\n${operationsTable(table)}\n\n${text.slice(end)}`;
  }, readme);
}

function names(operations: readonly string[]): string {
  return operations.toSorted().join(', ');
}

if (import.meta.main) {
  const file = fileURLToPath(new URL('README.md', import.meta.url));
  writeFileSync(file, withTable(readFileSync(file, 'utf8')));
}
