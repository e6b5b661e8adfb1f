import { connect } from 'node:net';
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
  type ContainerClient,
} from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestCloud } from './running-cloud.ts';

let cloud: TestCloud;
let group: string;
let east: Awaited<ReturnType<TestCloud['account']>>;
let west: Awaited<ReturnType<TestCloud['account']>>;

beforeAll(async () => {
  cloud = await TestCloud.start();
  // The SDK's own way through a proxy takes no `tlsOptions`.
  setDefaultCACertificates([...getCACertificates('default'), cloud.ca]);
  group = await cloud.group('hosts', 'eastus');
  [east, west] = await Promise.all([
    cloud.account(group, 'easthosts', 'eastus'),
    cloud.account(group, 'westhosts', 'westus3'),
  ]);
}, 60_000);
afterEach(() => cloud.admin('DELETE', '/faults'));
afterAll(() => cloud.stop());

function port(): string {
  return new URL(cloud.at.address.arm).port;
}

/**
 * A client as Azure's own build it: from a name and the cloud's suffix. Its names resolve at the cloud's proxy only.
 */
function byHost(account: string, key: string): BlobServiceClient {
  const proxy = new URL(cloud.at.address.proxy);
  const options = {
    ...cloud.blobOptions(),
    proxyOptions: { host: `http://${proxy.hostname}`, port: Number(proxy.port) },
  };
  const credential = new StorageSharedKeyCredential(account.replace('-secondary', ''), key);
  return new BlobServiceClient(`https://${account}.blob.core.localhost:${port()}`, credential, options);
}

/** What the proxy answers to `CONNECT target`: its status line, and the socket if it joined. */
function tunnel(target: string): Promise<{ line: string; socket: ReturnType<typeof connect> }> {
  const { hostname, port: at } = new URL(cloud.at.address.proxy);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(at), hostname, () => socket.write(`CONNECT ${target} HTTP/1.1\r\n\r\n`));
    socket.once('data', (answer) => resolve({ line: answer.toString().split('\r\n')[0] ?? '', socket }));
    socket.once('error', reject);
  });
}

/** An HTTPS request through the proxy. Rejects if no answer comes. */
async function ask(host: string, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { socket } = await tunnel(`${host}:${port()}`);
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, servername: host, ca: cloud.ca }, () => {
      const lines = Object.entries({ Host: `${host}:${port()}`, Connection: 'close', ...headers });
      tls.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    });
    let answer = '';
    tls.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    tls.on('error', reject);
    tls.on('close', () => (answer === '' ? reject(new Error('no answer')) : resolve(answer)));
  });
}

describe('the host names of storage accounts', () => {
  let box: ContainerClient;

  it('lead to the account in its region, with its key, and are its own address by another name', async () => {
    box = byHost('easthosts', east.key).getContainerClient('box');
    await box.create();
    await box.getBlockBlobClient('a folder/ä %.txt').uploadData(Buffer.from('by host'));
    const byPath = cloud.blobs(east.primary, 'easthosts', east.key).getContainerClient('box');
    expect((await byPath.getBlobClient('a folder/ä %.txt').downloadToBuffer()).toString()).toBe('by host');
    const containers = `${group}/providers/Microsoft.Storage/storageAccounts/easthosts/blobServices/default/containers`;
    const { json } = await cloud.arm(`${containers}?api-version=2023-01-01`);
    expect((json.value as { name: string }[]).map(({ name }) => name)).toEqual(['box']);
    const wrong = byHost('easthosts', west.key).getContainerClient('box');
    await expect(wrong.getProperties()).rejects.toMatchObject({ statusCode: 403 });
  });

  it('can be the source of a copy into another region', async () => {
    const query = generateBlobSASQueryParameters(
      {
        containerName: 'box',
        permissions: ContainerSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + 600_000),
      },
      new StorageSharedKeyCredential('easthosts', east.key),
    );
    const target = byHost('westhosts', west.key).getContainerClient('box');
    await target.create();
    const source = `${box.getBlobClient('a folder/ä %.txt').url}?${query.toString()}`;
    await target.getBlobClient('copy').syncCopyFromURL(source);
    expect((await target.getBlobClient('copy').downloadToBuffer()).toString()).toBe('by host');
  });

  it('have a secondary in the paired region, for reading', async () => {
    const secondary = byHost('westhosts-secondary', west.key).getContainerClient('box');
    expect((await secondary.getBlobClient('copy').downloadToBuffer()).toString()).toBe('by host');
    await expect(secondary.getBlockBlobClient('x').uploadData(Buffer.from('x'))).rejects.toMatchObject({
      statusCode: 403,
    });
  });

  it('are as dark as their region', async () => {
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    await expect(ask('easthosts.blob.core.localhost', '/?comp=list')).rejects.toThrow('no answer');
    const answer = await ask('westhosts.blob.core.localhost', '/?comp=list');
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('say so where there is no such account', async () => {
    expect(await ask('nobody.blob.core.localhost', '/box?restype=container')).toMatch(/404[\s\S]*ResourceNotFound/);
  });
});

describe('the host names of vaults', () => {
  it('name the audience for which a client gets its token, and answer ids below themselves', async () => {
    const id = `${group}/providers/Microsoft.KeyVault/vaults/hosts-kv`;
    const properties = {
      tenantId: cloud.at.address.tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
    };
    await cloud.make(id, { location: 'eastus', properties });
    const host = 'hosts-kv.vault.localhost';
    const audience = `https://vault.localhost:${port()}`;
    const challenge = await ask(host, '/secrets?api-version=7.4');
    expect(challenge).toMatch(/^HTTP\/1\.1 401 /);
    expect(challenge).toContain(`resource="${audience}"`);
    await cloud.make(`${id}/secrets/pass`, { properties: { value: 'word' } });
    const authorization = `Bearer ${await cloud.token(audience)}`;
    const secret = await ask(host, '/secrets/pass?api-version=7.4', { authorization });
    expect(secret).toContain(`"id":"https://${host}:${port()}/secrets/pass/`);
    expect(secret).toContain('"value":"word"');
  });
});

describe('the proxy', () => {
  it('leads to the local Azure and nowhere else', async () => {
    for (const target of ['example.com:443', 'localhost:1', `example.com:${port()}`, 'nonsense']) {
      const { line, socket } = await tunnel(target);
      expect(line).toBe('HTTP/1.1 403 Forbidden');
      socket.destroy();
    }
    const { line, socket } = await tunnel(`localhost:${port()}`);
    expect(line).toBe('HTTP/1.1 200 Connection Established');
    socket.destroy();
  });

  it('has the same address after a restart', async () => {
    const before = cloud.at.address.proxy;
    await cloud.restart();
    expect(cloud.at.address.proxy).toBe(before);
    expect(await ask('localhost', '/metadata/endpoints?api-version=2022-09-01')).toContain(
      `"storage":"core.localhost:${port()}"`,
    );
  });
});
