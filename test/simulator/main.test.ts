import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClientSecretCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, describe, expect, it } from 'vitest';
import type { CloudAddress } from '../../simulator/cloud.ts';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { eventually } from './running-cloud.ts';

const MAIN = fileURLToPath(new URL('../../simulator/main.ts', import.meta.url));
const started: ChildProcess[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => ended(child, 'SIGKILL')));
  for (const folder of folders.splice(0))
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'local-azure-main-'));
  folders.push(made);
  return made;
}

function run(...args: string[]): {
  child: ChildProcess;
  output: () => string;
  errors: () => string;
  exit: Promise<number | null>;
} {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let [output, errors] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, output: () => output, errors: () => errors, exit };
}

async function ready(program: ReturnType<typeof run>): Promise<CloudAddress> {
  const line = await eventually(
    () => program.output() || program.errors(),
    (seen) => seen.includes('\n'),
    60_000,
  );
  return JSON.parse(line) as CloudAddress;
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exit;
}

async function credential(address: CloudAddress): Promise<ClientSecretCredential> {
  const options = {
    authorityHost: address.authority,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: readFileSync(address.ca, 'utf8') },
  };
  return Promise.resolve(
    new ClientSecretCredential(address.tenantId, address.clientId, address.clientSecret, options as never),
  );
}

async function arm(
  address: CloudAddress,
  method: string,
  path: string,
  body?: Json,
): Promise<{ status: number; json: JsonObject }> {
  const { token } = await (await credential(address)).getToken(`${address.arm}/.default`);
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = request(
      `${address.arm}${path}?api-version=2024-04-01`,
      { method, headers, ca: readFileSync(address.ca), agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            json: text === '' ? {} : (JSON.parse(text) as JsonObject),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Processes of this machine whose command line names the folder. */
function processesOf(stateFolder: string): number[] {
  const isOurs = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(stateFolder);
    } catch {
      return false; // It ended while we looked.
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

describe('the program', () => {
  it('keeps everything over a SIGKILL, addresses included, and leaves nothing running', async () => {
    const state = folder();
    const first = run('--state', state, '--pace', '0.05');
    const address = await ready(first);
    expect(JSON.parse(readFileSync(join(state, 'cloud.json'), 'utf8'))).toEqual(address);
    const group = `/subscriptions/${address.subscriptionId}/resourceGroups/kept`;
    await arm(address, 'PUT', group, { location: 'eastus' });
    const account = `${group}/providers/Microsoft.Storage/storageAccounts/keptacc`;
    await arm(address, 'PUT', account, {
      location: 'eastus',
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
    });
    const isReady = (seen: JsonObject): boolean => (seen.properties as JsonObject).provisioningState === 'Succeeded';
    await eventually(async () => (await arm(address, 'GET', account)).json, isReady);
    const options = { tlsOptions: { ca: readFileSync(address.ca, 'utf8') } } as ConstructorParameters<
      typeof BlobServiceClient
    >[2];
    const container = new BlobServiceClient(
      `${address.regions.eastus?.dataPlane}/keptacc`,
      await credential(address),
      options,
    ).getContainerClient('data');
    await container.create();
    await container.getBlockBlobClient('b').upload('kept', 4);
    // The last thing before the kill: its answer is out, so it must be there afterwards.
    const last = await arm(address, 'PUT', `${group}/providers/Microsoft.Insights/actionGroups/last`, {
      location: 'eastus',
    });
    expect(last.status).toBe(201);
    await ended(first.child, 'SIGKILL');
    await eventually(
      () => processesOf(state),
      (pids) => pids.length === 0,
    );

    const second = run('--state', state, '--pace', '0.05');
    const again = await ready(second);
    expect({ ...again, pid: 0 }).toEqual({ ...address, pid: 0 });
    expect((await arm(again, 'GET', `${group}/providers/Microsoft.Insights/actionGroups/last`)).status).toBe(200);
    expect((await container.getBlockBlobClient('b').downloadToBuffer()).toString()).toBe('kept');
    second.child.kill('SIGTERM');
    expect(await second.exit).toBe(0);
    expect(processesOf(state)).toEqual([]);
    expect(second.errors()).toBe('');
  }, 90_000);

  it('refuses a second one on the same folder, whatever its ports, and leaves the first alone', async () => {
    const state = folder();
    const first = run('--state', state, '--regions', 'eastus');
    const address = await ready(first);
    rmSync(join(state, 'ports.json'));
    const second = run('--state', state);
    expect(await second.exit).toBe(1);
    expect(second.errors()).toContain(
      `a local Azure runs on "${state}" already: process ${first.child.pid}, ${address.arm}`,
    );
    expect((await arm(address, 'GET', `/subscriptions/${address.subscriptionId}`)).status).toBe(200);
  }, 60_000);

  it('says which port is taken, and what to do', async () => {
    const state = folder();
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const chosen = run('--state', state, '--port', String(port));
    expect(await chosen.exit).toBe(1);
    expect(chosen.errors()).toContain(`arm listener cannot start: port ${port} is taken by another process`);
    writeFileSync(join(state, 'ports.json'), JSON.stringify({ eastus: port }));
    const kept = run('--state', state);
    expect(await kept.exit).toBe(1);
    taken.close();
    expect(kept.errors()).toMatch(
      /eastus listener cannot start: port \d+ is taken by another process\. .*kept in .*ports\.json.*remove the file/,
    );
  }, 60_000);

  it('says what is wrong with its arguments and with its files', async () => {
    const bare = run();
    expect(await bare.exit).toBe(2);
    expect(bare.errors()).toContain('--state DIR is missing');
    const typed = run('--state', folder(), '--speed', 'fast');
    expect(await typed.exit).toBe(2);
    expect(typed.errors()).toContain('--speed: expected a number from 0 on, got "fast"');
    const broken = folder();
    writeFileSync(
      join(broken, 'journal.jsonl'),
      '{"t":"resources","k":"a","v":1}\nnonsense\n{"t":"x","k":"b","v":2}\n',
    );
    const spoilt = run('--state', broken, '--regions', 'eastus');
    expect(await spoilt.exit).toBe(1);
    expect(spoilt.errors()).toContain('journal.jsonl, line 2: expected a change');
    expect(spoilt.errors()).toContain('got "nonsense"');
    const cut = folder();
    mkdirSync(join(cut, 'azurite'));
    writeFileSync(join(cut, 'azurite', '__azurite_db_blob__.json'), '{"filename":');
    const blobless = run('--state', cut, '--regions', 'eastus');
    expect(await blobless.exit).toBe(1);
    expect(blobless.errors()).toMatch(
      /^Azurite ended \(exit code 1\), which keeps the blobs in .*azurite: .*JSON.*\n$/,
    );
  }, 60_000);

  it.each([
    [['--port', 'abc'], '--port: expected a whole number from 1 to 65535, got "abc"'],
    [['--port', '99999'], '--port: expected a whole number from 1 to 65535, got "99999"'],
    [['--token-seconds', '0'], '--token-seconds: expected a whole number from 1 on, got "0"'],
    [['--regions', 'eastus,,x'], 'regions: expected names of letters and digits'],
    [['--regions', '../x'], 'regions: expected names of letters and digits'],
    [['--regions', 'eastus,admin'], 'got "admin" in "eastus,admin"'],
    [['--regions', 'eastus,East US'], 'regions: "eastus" is there twice'],
  ])('starts nothing with %j', async (args, message) => {
    const state = folder();
    const refused = run('--state', state, ...args);
    expect(await refused.exit).toBe(2);
    expect(refused.errors()).toContain(message);
    expect(readdirSync(state)).toEqual([]);
  });

  it('tells its options and its scenarios without starting', async () => {
    const help = run('--help');
    expect(await help.exit).toBe(0);
    expect(help.output()).toContain('--regions a,b,c');
    const scenarios = run('--scenarios');
    expect(await scenarios.exit).toBe(0);
    expect(JSON.parse(scenarios.output())).toContainEqual(
      expect.objectContaining({ name: 'region-lost', scope: 'region' }),
    );
  });

  it('keeps the regions of its folder, and refuses to leave one that holds something', async () => {
    const state = folder();
    const first = run('--state', state, '--regions', 'northeurope,westeurope');
    const address = await ready(first);
    const group = `/subscriptions/${address.subscriptionId}/resourceGroups/kept`;
    await arm(address, 'PUT', group, { location: 'westeurope' });
    await ended(first.child, 'SIGTERM');
    const without = run('--state', state, '--regions', 'northeurope,uksouth');
    expect(await without.exit).toBe(2);
    expect(without.errors()).toMatch(/regions: expected "westeurope" among them, for 1 resources are there/);
    const again = run('--state', state);
    const kept = await ready(again);
    expect(kept.regions).toEqual(address.regions);
    expect((await arm(kept, 'GET', group)).status).toBe(200);
  }, 90_000);
});
