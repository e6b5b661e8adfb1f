/**
 * The one Azurite process behind all regions' blob fronts: started, told its accounts, spoken to from inside, stopped.
 */

import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BlobAccounts } from '../contract/index.ts';
import type { Journal, Table } from '../state/journal.ts';
import {
  CLOCK_HEADER,
  VOUCHED_HEADER,
  type AccountsMessage,
  type ChildMessage,
  type ReplicaMessage,
} from './azurite-protocol.ts';
import { containerSas, orderedPermissions, STORAGE_VERSION } from '../storage-protocol/shared-key.ts';

interface Keys {
  key1: string;
  key2: string;
}

/** Azurite loads in a second or two; on a busy machine in ten. */
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;

export class Azurite implements BlobAccounts {
  private readonly table: Table<Keys & { name: string }>;
  private readonly folder: string;
  private readonly secret = randomBytes(24).toString('hex');
  private readonly frontOf: (account: string) => string;
  private readonly onExit: (message: string) => void;
  private readonly now: () => number;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });
  private child: ChildProcess | undefined;
  private sequence = 0;
  private readonly unapplied = new Map<number, (error?: string) => void>();
  private stopping = false;
  port = 0;

  /**
   * `frontOf` gives the https address of an account's front, for the SAS URLs. `onExit` hears of an end that nobody
   * asked for. `now`: the cloud's clock.
   */
  constructor(
    folder: string,
    journal: Journal,
    frontOf: (account: string) => string,
    onExit: (message: string) => void,
    now: () => number,
  ) {
    this.now = now;
    this.folder = folder;
    this.table = journal.table('blobAccounts');
    this.frontOf = frontOf;
    this.onExit = onExit;
  }

  /** Starts the process. Throws an Error with what it wrote if it does not come up. */
  async start(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    const entry = fileURLToPath(new URL(`./azurite-process${extname(import.meta.filename)}`, import.meta.url));
    const child = fork(entry, [this.folder], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...process.env, LOCAL_AZURE_VOUCH: this.secret },
    });
    this.child = child;
    let output = '';
    let isUp = false;
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.port = await new Promise<number>((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`Azurite did not start within ${START_DEADLINE_MS / 1000} s: ${output}`)),
        START_DEADLINE_MS,
      );
      child.on('message', (message: ChildMessage) => {
        if ('applied' in message) {
          this.unapplied.get(message.applied)?.(message.error);
          this.unapplied.delete(message.applied);
          return;
        }
        clearTimeout(deadline);
        isUp = true;
        resolve(message.port);
      });
      child.once('exit', (code, signal) => {
        clearTimeout(deadline);
        for (const resolve of this.unapplied.values()) resolve('Azurite ended');
        this.unapplied.clear();
        const said = output.replaceAll(/^(\s+at .*|Node\.js v.*)$/gm, '').replaceAll(/\s*\n\s*/g, ' ');
        const wrote = said.trim() || 'it wrote nothing';
        const message = `Azurite ended (${signal ?? `exit code ${code}`}), which keeps the blobs in ${this.folder}: ${wrote}`;
        if (isUp && !this.stopping) this.onExit(message);
        reject(new Error(message));
      });
    });
    await this.tellAccounts();
  }

  /** Stops the process, letting it save its state; kills it if it does not end in time. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.agent.destroy();
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(deadline);
  }

  async setKeys(account: string, key1: string, key2: string): Promise<void> {
    this.table.set(account, { name: account, key1, key2 });
    await this.tellAccounts();
  }

  async remove(account: string): Promise<void> {
    if (this.table.get(account)) await this.eraseContainers(account);
    this.table.delete(account);
    await this.tellAccounts();
  }

  keys(account: string): Keys | undefined {
    const held = this.table.get(account);
    return held && { key1: held.key1, key2: held.key2 };
  }

  async containerSas(account: string, container: string, permissions: string, minutes: number): Promise<string> {
    const keys = this.keys(account);
    if (!keys) throw new Error(`storage account '${account}': no such account`);
    const query = containerSas(account, keys.key1, container, orderedPermissions(permissions), minutes, new Date());
    return Promise.resolve(`${this.frontOf(account)}/${account}/${container}?${query}`);
  }

  async createContainer(account: string, container: string, metadata?: Record<string, string>): Promise<void> {
    const path = `/${account}/${container}?restype=container`;
    const { status, body } = await this.ask('PUT', path);
    if (status !== 201 && status !== 409) throw new Error(`container '${account}/${container}': ${status} ${body}`);
    if (!metadata) return;
    const headers = Object.fromEntries(Object.entries(metadata).map(([name, one]) => [`x-ms-meta-${name}`, one]));
    const set = await this.ask('PUT', `${path}&comp=metadata`, undefined, headers);
    if (set.status !== 200) throw new Error(`container '${account}/${container}': ${set.status} ${set.body}`);
  }

  async removeContainer(account: string, container: string): Promise<boolean> {
    if (!this.table.get(account)) return true;
    const { status, body } = await this.ask('DELETE', `/${account}/${container}?restype=container`);
    if (status === 412) return false;
    if (status !== 202 && status !== 404) throw new Error(`container '${account}/${container}': ${status} ${body}`);
    return true;
  }

  async putBlob(account: string, container: string, name: string, content: Buffer): Promise<void> {
    const path = `/${account}/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const { status, body } = await this.ask('PUT', path, content, { 'x-ms-blob-type': 'BlockBlob' });
    if (status !== 201) throw new Error(`blob '${account}/${container}/${name}': ${status} ${body}`);
  }

  async getBlob(account: string, container: string, name: string): Promise<string | undefined> {
    const path = `/${account}/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
    const { status, body } = await this.ask('GET', path);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`blob '${account}/${container}/${name}': ${status} ${body}`);
    return body;
  }

  async listContainers(account: string): Promise<string[]> {
    const names: string[] = [];
    let marker = '';
    do {
      const query = new URLSearchParams({ comp: 'list', marker });
      const { status, body } = await this.ask('GET', `/${account}?${query.toString()}`);
      if (status !== 200) throw new Error(`containers of '${account}': ${status} ${body}`);
      for (const [, name = ''] of body.matchAll(/<Container><Name>([^<]+)<\/Name>/g)) names.push(name);
      marker = unescaped(/<NextMarker>([^<]+)<\/NextMarker>/.exec(body)?.[1] ?? '');
    } while (marker !== '');
    return names;
  }

  async listBlobs(account: string, container: string, prefix: string): Promise<string[]> {
    const names: string[] = [];
    let marker = '';
    do {
      const query = new URLSearchParams({ restype: 'container', comp: 'list', prefix, marker });
      const { status, body } = await this.ask('GET', `/${account}/${container}?${query.toString()}`);
      if (status === 404) return [];
      if (status !== 200) throw new Error(`blobs of '${account}/${container}': ${status} ${body}`);
      for (const [, name = ''] of body.matchAll(/<Blob><Name>([^<]*)<\/Name>/g)) names.push(unescaped(name));
      marker = unescaped(/<NextMarker>([^<]+)<\/NextMarker>/.exec(body)?.[1] ?? '');
    } while (marker !== '');
    return names;
  }

  /** Opens a request to Azurite for the fronts. `vouched`: the caller has checked who asks, Azurite need not. */
  open(
    method: string,
    path: string,
    headers: Record<string, string | string[]>,
    vouched: boolean,
  ): ReturnType<typeof httpRequest> {
    const all: Record<string, string | string[]> = { ...headers };
    delete all[VOUCHED_HEADER]; // A client that sends it vouches for nobody.
    all[CLOCK_HEADER] = String(this.now());
    if (vouched) all[VOUCHED_HEADER] = this.secret;
    return httpRequest({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: this.agent });
  }

  /** A request of the cloud itself. */
  async ask(
    method: string,
    path: string,
    content?: Buffer,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string }> {
    const own = {
      'x-ms-version': STORAGE_VERSION,
      'x-ms-date': new Date().toUTCString(),
      'content-length': String(content?.length ?? 0),
    };
    const request = this.open(method, path, { ...own, ...headers }, true);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject);
      request.end(content);
    });
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  }

  /** Changes the replica that an account's secondary region has. Rejects if Azurite does not run or could not do it. */
  async changeReplica(replica: ReplicaMessage['replica']): Promise<void> {
    const child = this.child;
    if (!child?.connected) throw new Error(`the replica of '${replica.account}': Azurite is not running`);
    const sequence = (this.sequence += 1);
    const applied = new Promise<string | undefined>((resolve) => this.unapplied.set(sequence, resolve));
    child.send({ sequence, replica } satisfies ReplicaMessage);
    const error = await applied;
    if (error !== undefined) throw new Error(`the replica of '${replica.account}': ${error}`);
  }

  private async tellAccounts(): Promise<void> {
    const child = this.child;
    if (!child?.connected) return;
    const sequence = (this.sequence += 1);
    const accounts = Object.fromEntries([...this.table.values()].map(({ name, key1, key2 }) => [name, { key1, key2 }]));
    const applied = new Promise<void>((resolve) => this.unapplied.set(sequence, () => resolve()));
    child.send({ sequence, accounts } satisfies AccountsMessage);
    await applied;
  }

  /** A deleted account takes its blobs with it: one made later under the same name starts empty. */
  private async eraseContainers(account: string): Promise<void> {
    for (const name of await this.listContainers(account))
      await this.ask('DELETE', `/${account}/${name}?restype=container`);
  }
}

function unescaped(xml: string): string {
  return xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
