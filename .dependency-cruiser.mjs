import { readdirSync } from 'node:fs';

/**
 * The rooms of the product, from the bottom up: each imports only rooms that stand before it. A room is a folder directly
 * under `src/`, with everything below it. `npm run rooms` holds this, and that no folder grows too large.
 */
const rooms = [
  'errors',
  'topology',
  'azure',
  'control-store',
  'plan',
  'run',
  'gates',
  'workspace',
  'ledger',
  'recovery-point',
  'merge',
  'standby',
  'secrets',
  'fence',
  'blobs',
  'checkpoints',
  'inventory',
  'jobs',
  'drain',
  'assets',
  'schedules',
  'scrub',
  'traffic',
  'inference',
  'provision',
  'config-files',
  'switch',
  'bundle',
  'client',
  'stack',
  'report',
  'operations',
  'cli',
];

/** A folder with more files than this holds more than one concept. */
const mostFiles = 20;

const filesIn = new Map();
for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) filesIn.set(entry.parentPath, (filesIn.get(entry.parentPath) ?? 0) + 1);
}
for (const [folder, files] of filesIn) {
  if (files > mostFiles) throw new Error(`${folder} holds ${files} files; split it by concept, at ${mostFiles}`);
}

const oneWay = rooms.map((room, index) => ({
  name: `${room}-imports-what-is-below`,
  comment: 'Dependencies point one way: see the list of rooms in .dependency-cruiser.mjs.',
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(${rooms.slice(index + 1).join('|') || 'nothing-above'})/` },
}));

export default {
  forbidden: [
    ...oneWay,
    {
      name: 'no-circle',
      comment: 'Two files that need each other are one, or hide a third.',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/' },
      to: { circular: true },
    },
    {
      name: 'every-room-is-listed',
      comment: 'A new folder under src/ takes its place in the list of rooms.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${rooms.join('|')})/` },
      to: {},
    },
    {
      name: 'rooms-know-no-program',
      comment: 'What puts the rooms together stands above them: only the command line starts it.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/cli/' },
      to: { path: '^(src/(actions|worker)[.]ts|activities/|workflows/|simulator/|test/|bench/|examples/)' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
