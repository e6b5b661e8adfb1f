import { readdirSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * The rooms of the local Azure, from the bottom up: each imports only rooms that stand before it. A room is one folder,
 * without those below it. `npm run rooms` holds this, and that no folder grows too large.
 */
const rooms = [
  'contract',
  'resource',
  'http',
  'clock',
  'state',
  'faults',
  'entra',
  'storage-protocol',
  'authorization',
  'storage',
  'keyvault',
  'registry',
  'services',
  'azurite',
  'blobs',
  'files',
  'front-door',
  'traffic-manager',
  'unlisted',
  'health',
  'template/language',
  'template/functions',
  'template',
  'groups',
  'deployments',
  'machinelearning/bodies',
  'machinelearning/job-life',
  'machinelearning/data',
  'machinelearning/execution/data',
  'machinelearning/execution/command',
  'machinelearning/jobs',
  'machinelearning/execution/children',
  'machinelearning/execution',
  'machinelearning/computes',
  'machinelearning/inference',
  'machinelearning/workspaces',
  'machinelearning',
  'arm',
  'data-plane',
  'inside',
  'chaos',
  'admin',
];

/** A folder with more files than this holds more than one concept. */
const mostFiles = 20;

const here = import.meta.dirname;
const filesIn = new Map();
for (const entry of readdirSync(here, { recursive: true, withFileTypes: true })) {
  const folder = relative(here, entry.parentPath);
  if (entry.isFile() && !folder.startsWith('dist')) filesIn.set(folder, (filesIn.get(folder) ?? 0) + 1);
}
for (const [folder, files] of filesIn) {
  if (files > mostFiles)
    throw new Error(`simulator/${folder} holds ${files} files; split it by concept, at ${mostFiles}`);
}

/** The files of these rooms, and not of folders below them. */
const of = (names) => `^simulator/(${names.join('|') || 'nothing-above'})/[^/]+$`;

const oneWay = rooms.map((room, index) => ({
  name: `${room.replaceAll('/', '-')}-imports-what-is-below`,
  comment: 'Dependencies point one way: see the list of rooms in simulator/.dependency-cruiser.mjs.',
  severity: 'error',
  from: { path: of([room]) },
  to: { path: of(rooms.slice(index + 1)) },
}));

export default {
  forbidden: [
    ...oneWay,
    {
      name: 'every-room-is-listed',
      comment: 'A new folder under simulator/ takes its place in the list of rooms.',
      severity: 'error',
      from: { path: '^simulator/.+/', pathNot: [of(rooms), '^simulator/(bin|dist)/'] },
      to: {},
    },
    {
      name: 'rooms-know-no-program',
      comment: 'What puts the rooms together stands above them, in simulator/ itself.',
      severity: 'error',
      from: { path: of(rooms) },
      to: { path: '^simulator/[^/]+$' },
    },
    {
      name: 'a-package-of-its-own',
      comment: 'The local Azure imports nothing of the product, and nothing of its tests.',
      severity: 'error',
      from: {},
      to: { path: '^(src|workflows|activities|test|bench|examples)/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^simulator/dist/' },
  },
};
