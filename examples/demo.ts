/**
 * The main job on the embedded stack: `npm run demo`. It types, and prints, the commands that a user would type: stack up,
 * set-up, worker, replicate; then the active region goes dark while its jobs run, and `failover` moves the workspace. It
 * ends with what was measured, and exits 0 only if all of it holds.
 *
 *   npm run demo -- --keep          leaves the stack up, with its addresses printed
 *   npm run demo -- --folder DIR    keeps its state there (default: .understudy/demo)
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import * as tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs, parseEnv } from 'node:util';
import { closingText, typed } from './demo-closing.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const topology = join(root, 'examples', 'fraud-ml', 'understudy.yaml');
const options = readOptions();
const home = resolve(options.folder);

/** Started by the demo and ended by it. */
const background: ChildProcess[] = [];
let ending: Promise<void> | undefined;
/** Why it ends early. */
let interruptedBy: string | undefined;
/** Stands in a folder whose content is a demo's, and may be taken away by the next. */
const marker = 'demo.txt';
/** Whether anything here is ours to end. */
let started = false;

interface Checked {
  what: string;
  ok: boolean;
  got: string;
}

interface DemoReport {
  run: { state: string };
  counts: { kind: string; expected: number; done: number; failed: { count: number }[]; reconciled?: boolean }[];
  objectives: { class: string; rto: { verdict: string }; rpo: { verdict: string } }[];
}

function readOptions(): { keep: boolean; folder: string } {
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'boolean', default: false }, folder: { type: 'string', default: join('.understudy', 'demo') } },
    });
    return values;
  } catch (error) {
    console.error(`demo: ${error instanceof Error ? error.message : String(error)}\n  → npm run demo -- [--keep] [--folder DIR]`);
    process.exit(2);
  }
}

const bold = (text: string) => (process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[0m` : text);

function chapter(text: string): void {
  console.log(`\n${bold(`— ${text}`)}`);
}

function show(command: string): void {
  console.log(`${bold('$')} ${command}`);
}

/** Runs a command that was shown; its output is the user's. Answers its exit code. */
function run(file: string, args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = begin([file, ...args], environment, 'inherit');
  background.push(child);
  return exitOf(child);
}

/** Nothing is started any more once it ends. */
function begin(args: string[], environment: NodeJS.ProcessEnv, stdio: StdioOptions): ChildProcess {
  if (interruptedBy !== undefined) throw new Error(interruptedBy);
  return spawn(process.execPath, args, { cwd: home, env: { ...process.env, ...environment }, stdio });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? 1));
  });
}

/** As `run`, but its output is answered. */
function read(file: string, args: string[], environment: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const child = begin([file, ...args], environment, ['ignore', 'pipe', 'inherit']);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? done(output) : fail(new Error(`${args.join(' ')} ended with ${code}`))));
  });
}

const program = join(root, 'bin', 'understudy.mjs');
const shownProgram = relative(home, program);
const shownTopology = relative(home, topology);

async function understudy(args: string[], environment: NodeJS.ProcessEnv = {}, expected = 0): Promise<void> {
  show(`${shownProgram} ${args.map((each) => (/\s/.test(each) ? `"${each}"` : each)).join(' ')}`);
  const code = await run(program, args, environment);
  if (code !== expected) throw new Error(`"understudy ${args[0]}" ended with ${code}, not ${expected}`);
}

/** Starts a worker and waits for its word that it is ready. */
async function worker(args: string[], name: string, environment: NodeJS.ProcessEnv): Promise<void> {
  show(`${shownProgram} worker ${args.join(' ')}${args.length > 0 ? ' ' : ''}> ${name}.log &`);
  const log = join(home, `${name}.log`);
  rmSync(log, { force: true });
  const output = openSync(log, 'a');
  const child = begin([program, 'worker', ...args], environment, ['ignore', output, output]);
  background.push(child);
  for (const until = Date.now() + 60_000; !readFileSync(log, 'utf8').includes('ready'); await delay(100)) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`the worker did not start:\n${readFileSync(log, 'utf8')}`);
  }
}

/** Ends what the demo started; with --keep the stack stays, but not the workers, which are the demo's own. */
function end(keep: boolean): Promise<void> {
  ending ??= (async () => {
    // Each has ended before the stack is: a "stack up" in its midst ends what it started itself.
    const alive = background.filter((child) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      alive.map((child) => {
        child.kill('SIGTERM');
        return exitOf(child);
      }),
    );
    if (keep) return;
    // In a group of its own: a second Ctrl-C does not end what cleans up.
    const down = spawn(process.execPath, [program, 'stack', 'down', '--folder', 'stack'], { cwd: home, stdio: 'ignore', detached: true });
    const code = await exitOf(down);
    if (code === 0) console.log('the stack is down');
    else console.error(`demo: "stack down" ended with ${code}: understudy stack down --folder ${join(home, 'stack')}`);
  })();
  return ending;
}

/** Ends early, once, whatever the reason. */
function leave(reason: string, exitCode: number): void {
  if (interruptedBy !== undefined) return;
  interruptedBy = reason;
  console.log(`\n${reason}: ending what the demo started`);
  void (started ? end(false) : Promise.resolve()).then(() => process.exit(exitCode));
}

/** A folder that is empty, or was a demo's before: anything else is somebody's. */
function takeFolder(): void {
  mkdirSync(home, { recursive: true });
  if (!existsSync(join(home, marker)) && readdirSync(home).length > 0) {
    throw new Error(`"${home}" is not empty, and no demo made it: name a folder of its own with --folder`);
  }
  if (existsSync(join(home, 'stack', 'stack.json'))) {
    throw new Error(`a demo's stack is up already; end it first: ${typed()} stack down --folder ${relative(process.cwd(), join(home, 'stack'))}`);
  }
  writeFileSync(join(home, marker), 'Made by "npm run demo". The next demo in this folder takes away what is in it.\n');
}

/** Asks a scoring request through the front, with the key that clients have had all along. */
async function score(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/score`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ input_data: [[120.5, 3, 0.2]] }),
  });
  return `HTTP ${response.status}: ${(await response.text()).trim()}`;
}

async function main(): Promise<Checked[]> {
  const began = Date.now();
  takeFolder();
  // A demo begins at the beginning: what an earlier one left is taken away.
  started = true;
  rmSync(join(home, 'stack'), { recursive: true, force: true });
  rmSync(join(home, 'clients'), { recursive: true, force: true });

  chapter('The embedded stack: a real Temporal server, and a local Azure with two regions');
  await understudy(['stack', 'up', '--folder', 'stack', '--pace', '0.2']);
  const stack = parseEnv(readFileSync(join(home, 'stack', 'env'), 'utf8'));
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(stack.NODE_EXTRA_CA_CERTS ?? '', 'utf8')]);

  chapter('A team’s workspace in eastus: assets, running jobs, an endpoint behind a front; its standby in westus3');
  const setUp = [join(root, 'examples', 'set-up.ts'), '--clients', 'clients', '--environment', 'fraud.env', '--data', join(home, 'data')];
  show(`source stack/env && npx node ${relative(home, setUp[0] ?? '')} --clients clients --environment fraud.env --data data`);
  if ((await run(setUp[0] ?? '', setUp.slice(1), stack)) !== 0) throw new Error('the set-up failed');
  const environment: NodeJS.ProcessEnv = parseEnv(readFileSync(join(home, 'fraud.env'), 'utf8'));
  const front = environment.SCORE_URL ?? '';

  chapter('Understudy: two workers, and a recovery point');
  show('source fraud.env');
  await worker([], 'worker', environment);
  await worker(['--host', 'train-01'], 'worker-train-01', environment);
  const with_ = (args: string[], expected = 0) => understudy(['-t', shownTopology, ...args], environment, expected);
  await with_(['validate']);
  await with_(['replicate', '--reason', 'the demo']);

  const key = await endpointKey(environment);
  console.log(`\nA client scores through the front: ${await score(front, key)}`);

  chapter('eastus goes dark: connections are refused, blobs included; its jobs run on unseen');
  await understudy(['chaos', 'start', 'region-lost', '--region', 'eastus', '--folder', 'stack']);
  // Its exit code says that something is broken.
  await with_(['status'], 5);

  chapter('3 a.m.: one command');
  await with_(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus does not answer']);

  chapter('Is it true?');
  const checks = await check(environment, front, key);
  for (const { what, ok, got } of checks) console.log(`${ok ? '✓' : '✗'} ${what}: ${got}`);
  console.log(`\nThe demo took ${((Date.now() - began) / 1000).toFixed(0)} s.`);
  return checks;
}

/** What the report says, and what a client sees: not the same source. */
async function check(environment: NodeJS.ProcessEnv, front: string, key: string): Promise<Checked[]> {
  const runs = JSON.parse(await read(program, ['-t', topology, 'runs', '--output', 'json'], environment)) as { runId: string; operation: string }[];
  const runId = runs.find((each) => each.operation === 'failover')?.runId ?? '';
  const report = JSON.parse(await read(program, ['-t', topology, 'report', runId, '--output', 'json'], environment)) as DemoReport;
  const unreconciled = report.counts.filter((row) => row.reconciled === false);
  const failed = report.counts.filter((row) => row.failed.length > 0);
  const missed = report.objectives.filter(({ rto, rpo }) => rto.verdict !== 'met' || rpo.verdict !== 'met');
  const answer = await score(front, key);
  const config = readFileSync(join(home, 'clients', 'config.json'), 'utf8');
  return [
    { what: 'the run', ok: report.run.state === 'completed', got: report.run.state },
    { what: 'counts', ok: report.counts.length > 0 && unreconciled.length + failed.length === 0, got: `${report.counts.length} rows, ${unreconciled.length} do not add up, ${failed.length} with failures` },
    { what: 'objectives', ok: missed.length === 0, got: missed.length === 0 ? 'all met' : `not met: ${missed.map((each) => each.class).join(', ')}` },
    { what: 'a client scores with its old key and address', ok: answer.startsWith('HTTP 200'), got: answer },
    { what: 'clients/config.json', ok: config.includes('fraud-west'), got: config.includes('fraud-west') ? 'names fraud-west' : 'still names the old workspace' },
  ];
}

/** A client's key: as its owner would have read it while eastus still answered. */
async function endpointKey(environment: NodeJS.ProcessEnv): Promise<string> {
  const { AZURE_RESOURCE_MANAGER_ENDPOINT: arm, AZURE_AUTHORITY_HOST: authority, AZURE_TENANT_ID: tenant, AZURE_SUBSCRIPTION_ID: subscription } = environment;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: environment.AZURE_CLIENT_ID ?? '',
    client_secret: environment.AZURE_CLIENT_SECRET ?? '',
    scope: `${arm}/.default`,
  });
  const token = (await (await fetch(`${authority}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: form })).json()) as { access_token: string };
  const path = `/subscriptions/${subscription}/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/workspaces/fraud-east/onlineEndpoints/fraud-score/listKeys`;
  const keys = (await (
    await fetch(`${arm}${path}?api-version=2024-04-01`, { method: 'POST', headers: { authorization: `Bearer ${token.access_token}` } })
  ).json()) as { primaryKey: string };
  return keys.primaryKey;
}

for (const [signal, exitCode] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) {
  process.on(signal, () => leave(signal, exitCode));
}
// Nobody reads on (npm run demo | head): what was started is ended all the same.
process.stdout.on('error', () => leave('nobody reads the output', 1));

try {
  const checks = await main();
  const good = checks.every(({ ok }) => ok);
  await end(options.keep);
  if (options.keep) {
    const environment = parseEnv(readFileSync(join(home, 'fraud.env'), 'utf8'));
    console.log(closingText({ home, topology, environment }));
  }
  console.log(good ? '\nAll of it holds.' : '\nNot all of it holds: see above.');
  process.exit(good ? 0 : 1);
} catch (error) {
  if (interruptedBy === undefined) {
    console.error(`\ndemo: ${error instanceof Error ? error.message : String(error)}`);
    if (started) await end(false);
    process.exit(1);
  }
}
