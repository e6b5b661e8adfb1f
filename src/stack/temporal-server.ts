/**
 * Finds Temporal's server in this order: on PATH; in our cache; by the SDK's own download; built with Go. The last
 * takes some minutes, once. (If TEMPORAL_ADDRESS is set, none is needed: see stack.ts.)
 */
import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { UnderstudyError, messageOf } from '../errors/error.ts';

/** The newest tag that `go install` accepts (later ones have replace directives). It includes server 1.29. */
const goModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const downloadSeconds = 120;

export type Say = (line: string) => void;

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'understudy');
}

/**
 * Returns the path of a `temporal` that runs.
 * Errors: TemporalError, which names every way that was tried and why it failed.
 */
export async function findTemporal(say: Say, signal?: AbortSignal): Promise<string> {
  const cached = join(cacheDirectory(), 'temporal');
  const tried: string[] = [];
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const found = join(directory, 'temporal');
    if (directory !== '' && (await runs(found))) return found;
  }
  tried.push('there is no "temporal" on PATH');
  if (await runs(cached)) return cached;
  await mkdir(cacheDirectory(), { recursive: true });
  for (const [name, obtain] of [
    ["the SDK's download", () => download(cached, say, signal)],
    [`go install ${goModule}`, () => build(cached, say, signal)],
  ] as const) {
    try {
      await obtain();
      if (await runs(cached)) return cached;
      tried.push(`${name}: what it gave does not run`);
    } catch (error) {
      signal?.throwIfAborted();
      tried.push(`${name}: ${messageOf(error).split('\n', 1)[0]}`);
    }
  }
  throw new UnderstudyError(
    'TemporalError',
    `no Temporal server can be had:\n${tried.map((line) => `  - ${line}`).join('\n')}`,
    {
      next: 'Install the Temporal CLI so that "temporal" is on PATH, or set TEMPORAL_ADDRESS to a server that runs.',
    },
  );
}

async function runs(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    await promisify(execFile)(path, ['--version'], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/** The SDK downloads a server for its tests. Starting and stopping it once leaves the binary behind. */
async function download(target: string, say: Say, signal?: AbortSignal): Promise<void> {
  say("Temporal server: asking for the SDK's own download …");
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const directory = join(cacheDirectory(), 'download');
  await mkdir(directory, { recursive: true });
  const made = TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: directory } },
  });
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${downloadSeconds} s`)), downloadSeconds * 1000).unref();
  });
  const interrupted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
  const environment = await Promise.race([made, late, interrupted]);
  await environment.teardown();
  const [name] = (await readdir(directory)).filter((each) => each.startsWith('temporal'));
  if (name === undefined) throw new Error('the download left no file');
  await rename(join(directory, name), target);
}

async function build(target: string, say: Say, signal?: AbortSignal): Promise<void> {
  const began = Date.now();
  const place = join(cacheDirectory(), `build-${process.pid}`);
  await mkdir(place, { recursive: true });
  const child = spawn('go', ['install', '-v', goModule], {
    env: { ...process.env, GOBIN: place, GOFLAGS: '-buildvcs=false' },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  });
  child.once('spawn', () => say(`Temporal server: building it with Go, once (${goModule}); this takes some minutes`));
  let packages = 0;
  let last = '';
  const seconds = () => Math.round((Date.now() - began) / 1000);
  createInterface({ input: child.stderr }).on('line', (line) => {
    packages += line.startsWith('go:') ? 0 : 1;
    last = line;
  });
  const timer = setInterval(() => say(`Temporal server: building, ${seconds()} s, ${packages} packages`), 15_000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) => {
        reject(error.code === 'ENOENT' ? new Error('there is no "go" on PATH') : error);
      });
      child.on('exit', resolve);
    });
    if (code !== 0) throw new Error(`it ended with ${code}: ${last}`);
    await rename(join(place, 'temporal'), target);
    say(`Temporal server: built in ${seconds()} s`);
  } finally {
    clearInterval(timer);
    await rm(place, { recursive: true, force: true });
  }
}
