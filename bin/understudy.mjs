#!/usr/bin/env node
// The command's launcher. It runs the compiled program where there is one (an installed package), else the sources, and
// it runs them on the Node that package.json pins, whatever `node` the machine has.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src/cli/main.ts');
const main = existsSync(source) ? source : join(root, 'dist/src/cli/main.js');
if (!isInstalled()) {
  console.error('understudy: what it needs is not installed here');
  console.error(
    `  → Type "npm ci" in ${root}. Never install "understudy" by that name: that is somebody else's program.`,
  );
  process.exit(1);
}
// What Node makes of the program is kept, for the programs that it starts, too: loading it takes half the time then.
process.env.NODE_COMPILE_CACHE ??= join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'understudy',
  'compiled',
);

const major = Number(process.versions.node.split('.')[0]);

if (major >= 24) {
  whenNpxIsGone(() => process.kill(process.pid, 'SIGTERM'));
  module.enableCompileCache();
  await import(pathToFileURL(main).href);
} else {
  const pinned = pinnedNode();
  if (pinned === undefined) {
    console.error(`understudy: expected Node 24 or later, got ${process.versions.node}`);
    console.error(
      '  → An installed package runs on the Node of its machine: install that, or npm\'s package "node" beside it.',
    );
    process.exit(1);
  }
  // The channel carries nothing: it is how the program learns that this launcher is gone, however it went.
  const child = spawn(pinned, [main, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, UNDERSTUDY_LAUNCHER: String(process.pid) },
  });
  whenNpxIsGone(() => child.kill('SIGTERM'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => passOn(child, signal));
  child.on('error', (error) => {
    console.error(`understudy: cannot run ${pinned}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Ends as the program ended: with our own listener in place the signal would not end anything.
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}

/** A terminal sends Ctrl-C to the program too: it is passed on only to one that has not heard of it. */
function passOn(child, signal) {
  const heard = signal === 'SIGINT' && [0, 1, 2].some((each) => isatty(each));
  setTimeout(() => child.kill(signal), heard ? 500 : 0);
}

/**
 * Who has started this by npx (see docs/decisions/0001-tool-chain.md), and ends it by its pid, ends npx and npx's shell,
 * which hand nothing on: a worker would stay, and nobody would know of it. A parent that is another all at once is how that is seen.
 */
function whenNpxIsGone(act) {
  if (process.env.npm_lifecycle_event !== 'npx' || !/^'?understudy'?$/.test(process.env.npm_lifecycle_script ?? ''))
    return;
  const parent = process.ppid;
  const watching = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watching);
    act();
  }, 500);
  watching.unref();
}

/** In a checkout before "npm ci" it is not. Any one package tells; this is one that every command needs. */
function isInstalled() {
  try {
    module.createRequire(import.meta.url).resolve('commander');
    return true;
  } catch {
    return false;
  }
}

/** An installed package brings no Node of its own: then the machine's must do. */
function pinnedNode() {
  try {
    return join(dirname(module.createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');
  } catch {
    return undefined;
  }
}
