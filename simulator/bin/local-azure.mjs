#!/usr/bin/env node
// The launcher of the local Azure: the sources in a clone, the compiled program in an installed package.
import { existsSync } from 'node:fs';

const source = new URL('../main.ts', import.meta.url);
const main = existsSync(source) ? source : new URL('../dist/main.js', import.meta.url);

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`local-azure: expected Node 24 or later, got ${process.versions.node}`);
  console.error('  → In a clone, "npx node simulator/main.ts" runs on the Node that package.json pins.');
  process.exit(1);
}
await import(main.href);
