/**
 * A scene: the embedded stack with the example's workspace in two regions and a recovery point of it, on which whole
 * operations run as they do for users. The command line, the common worker and the worker of the host train-01 are
 * processes of their own, in folders of their own, with what each of them must know in its environment and nothing
 * more.
 *
 *   scene/stack      the stack's state
 *   scene/desk       what the person at the command line has: topology, templates, parameters
 *   scene/cli        where that person stands: reports are written here
 *   scene/worker     the common worker
 *   scene/train-01   the host: its worker, and the clients' config files
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { environmentOf, stackDown, type Stack } from '../../src/stack/stack.ts';
import type { CloudAddress } from '../../src/stack/state.ts';
import { AzureReader } from './azure-reader.ts';
import { Running, waitFor, type Program } from './processes.ts';
import { program, templateOf, up } from './set-up.ts';

/** temporal.api.enums.v1.PendingActivityState.STARTED */
const started = 2;

export interface SceneOptions {
  /** Changes the topology that the person has. */
  topology?: (text: string) => string;
  /** Which workers run from the start. */
  workers?: ('common' | 'host')[];
}

/**
 * Of this process of the test run: a copy of a template keeps the template's ports, so that two at a time need two of
 * them.
 */
function ownFolder(): string {
  return join(inject('e2eFolder'), process.env.VITEST_POOL_ID ?? '1');
}

export class Scene {
  readonly folder: string;
  stack: Stack;
  azure!: AzureReader;
  client!: Client;
  /** Details of heartbeats that `running` has met. */
  readonly heartbeats = new Set<string>();
  /** All that was ever started. */
  readonly started: Running[] = [];
  #connection: Connection | undefined;
  #settings: Record<string, string> = {};

  private constructor(folder: string, stack: Stack) {
    this.folder = folder;
    this.stack = stack;
  }

  static async open({ topology, workers = ['common', 'host'] }: SceneOptions = {}): Promise<Scene> {
    const template = await templateOf(ownFolder());
    const folder = await mkdtemp(join(ownFolder(), 'scene-'));
    await cp(template, folder, { recursive: true });
    const scene = new Scene(folder, await up(folder));
    try {
      await scene.#connect();
      scene.#settings = parseEnv(await readFile(join(folder, 'settings.env'), 'utf8')) as Record<string, string>;
      if (topology) {
        const text = topology(await readFile(scene.topology, 'utf8'));
        await writeFile(scene.topology, text);
      }
      await Promise.all(workers.map((which) => (which === 'host' ? scene.hostWorker() : scene.worker())));
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  async #connect(): Promise<void> {
    await this.#connection?.close();
    this.#connection = await Connection.connect({
      address: this.stack.temporal?.address ?? 'the stack has no Temporal',
    });
    this.client = new Client({ connection: this.#connection });
    this.azure = await AzureReader.open(this.cloud);
  }

  get cloud(): CloudAddress {
    return this.stack.cloud;
  }

  get topology(): string {
    return join(this.folder, 'desk', 'examples', 'fraud-ml', 'understudy.yaml');
  }

  /** Where the host has the clients' config files. */
  get clients(): string {
    return join(this.folder, 'train-01', 'clients');
  }

  /** Clients' address of the model. */
  get front(): string {
    return this.#settings.SCORE_URL ?? '';
  }

  get workerSecret(): string {
    return this.#settings.WORKER_CLIENT_SECRET ?? '';
  }

  /** What any of our processes knows: the machine, where Temporal and Azure are, and who it is. */
  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      XDG_CACHE_HOME: join(ownFolder(), 'cache'),
      ...environmentOf(this.stack),
      ...more,
    };
  }

  /** Starts a command of the person's; `more` is added to the environment. */
  command(args: string[], more: Record<string, string> = {}): Running {
    const { SCORE_URL = '', EAST_VAULT = '', WEST_VAULT = '' } = this.#settings;
    const declared = { CLIENTS: this.clients, SCORE_URL, EAST_VAULT, WEST_VAULT };
    return this.#start(['-t', this.topology, ...args], {
      folder: join(this.folder, 'cli'),
      environment: this.environment({ ...declared, ...more }),
      log: join(this.folder, 'cli.log'),
    });
  }

  /** Runs a command to its end. */
  async run(
    args: string[],
    more: Record<string, string> = {},
  ): Promise<{ code: number | NodeJS.Signals; output: string }> {
    const running = this.command(args, more);
    return { code: await running.ended, output: running.output };
  }

  /** Runs a command to its end; returns the document that it printed, alone, on standard output. */
  async document(
    args: string[],
    more: Record<string, string> = {},
  ): Promise<{ code: number | NodeJS.Signals; document: unknown }> {
    const running = this.command([...args, '--output', 'json'], more);
    const code = await running.ended;
    return { code, document: JSON.parse(running.out) };
  }

  /** Starts the common worker, as the principal of its own that it is. */
  async worker(): Promise<Running> {
    const { WORKER_CLIENT_ID = '', WORKER_CLIENT_SECRET = '' } = this.#settings;
    return this.#worker([], 'worker', {
      AZURE_CLIENT_ID: WORKER_CLIENT_ID,
      AZURE_CLIENT_SECRET: WORKER_CLIENT_SECRET,
    });
  }

  async hostWorker(): Promise<Running> {
    return this.#worker(['--host', 'train-01'], 'train-01', {});
  }

  async #worker(args: string[], name: string, more: Record<string, string>): Promise<Running> {
    const running = this.#start(['worker', ...args], {
      folder: join(this.folder, name),
      environment: this.environment(more),
      log: join(this.folder, `${name}.log`),
    });
    await running.says('ready');
    return running;
  }

  #start(args: string[], of: Program): Running {
    const running = new Running(program, args, of);
    this.started.push(running);
    return running;
  }

  /** The local Azure's admin API. */
  async admin(method: 'POST' | 'DELETE' | 'GET', path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.cloud.admin}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`admin ${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  outage(region: string, mode: 'dark' | 'hang' | 'none'): Promise<unknown> {
    return this.admin('POST', `/regions/${region}/outage`, { mode });
  }

  /** Of the local Azure's log of requests: those after number `since`. */
  async requests(since = 0): Promise<LoggedRequest[]> {
    const { value } = (await this.admin('GET', `/requests?since=${since}`)) as { value: LoggedRequest[] };
    return value;
  }

  /** The number of the last request until now. */
  async now(): Promise<number> {
    return (await this.requests()).at(-1)?.sequence ?? 0;
  }

  /** Steps that a worker executes at this moment, as the server of Temporal sees it. */
  async running(of: 'move' | 'reprotect' = 'move'): Promise<string[]> {
    const description = await this.client.workflow
      .getHandle(`understudy-fraud-ml-${of}`)
      .describe()
      .catch(() => undefined);
    const pending = description?.raw.pendingActivities ?? [];
    for (const { heartbeatDetails } of pending)
      for (const { data } of heartbeatDetails?.payloads ?? [])
        this.heartbeats.add(Buffer.from(data ?? []).toString('utf8'));
    return pending.filter(({ state }) => Number(state) === started).map(({ activityId }) => activityId ?? '');
  }

  /** Waits until a step whose id begins so is executed; answers its id. */
  async step(prefix: string, seconds = 60): Promise<string> {
    return waitFor(
      `a step ${prefix}…`,
      async () => (await this.running()).find((id) => id.startsWith(prefix)),
      seconds,
      20,
    );
  }

  /** Kills Temporal and Azure, takes away what Temporal knew if it is `lost`, and starts both again on what is left. */
  async restartStack({ temporal }: { temporal: 'kept' | 'lost' }): Promise<void> {
    for (const { pid } of this.stack.processes) process.kill(pid, 'SIGKILL');
    await stackDown(join(this.folder, 'stack'));
    for (const suffix of temporal === 'lost' ? ['', '-shm', '-wal'] : [])
      await rm(join(this.folder, 'stack', `temporal.db${suffix}`), { force: true });
    this.stack = await up(this.folder);
    await this.#connect();
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((each) => each.kill('SIGKILL')));
    await this.#connection?.close();
    await stackDown(join(this.folder, 'stack'));
    if (!process.env.E2E_KEEP) await rm(this.folder, { recursive: true, force: true });
  }
}

export interface LoggedRequest {
  sequence: number;
  listener: string;
  method: string;
  path: string;
  status: number | null;
}
