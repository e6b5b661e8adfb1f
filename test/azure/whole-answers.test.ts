/**
 * A server that sends its headers and then nothing is given up: by every client that the product has, on a real socket.
 */
import { Readable } from 'node:stream';
import { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectAzure } from '../../src/azure/connect.ts';
import { sendSigned } from '../../src/azure/storage/signed-storage.ts';
import { hashBlob } from '../../src/azure/storage/blobs.ts';
import { openBlobAccount } from '../../src/azure/storage/blob-account.ts';
import { openVault } from '../../src/azure/vault.ts';
import { withinTimeout } from '../../src/azure/http/whole-answers.ts';
import { credential, startServer, type Answer, type Server } from './server.ts';

const timeoutMs = 300;
const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a';
const resource = { id, name: 'a', type: 'Microsoft.Storage/storageAccounts', properties: {} };
const stalls = (body: unknown, headers = {}): Answer => ({ status: 200, headers, body, stallsAfter: 5 });
const never = new AbortController().signal;

let server: Server;
beforeEach(async () => {
  server = await startServer();
});
afterEach(() => server.close());

/** Well above the limit of the clients, and well below what a person would wait. */
async function givesUp(work: Promise<unknown>): Promise<void> {
  const began = performance.now();
  await expect(work).rejects.toThrow(/no answer|abort/i);
  expect(performance.now() - began).toBeLessThan(5000);
}

describe('an answer that stalls after its headers', () => {
  it('of ARM: the step may try again', async () => {
    server.answers.push(stalls(resource));
    const arm = server.arm({ requestTimeoutMs: timeoutMs });
    await expect(arm.get(id, '2023-05-01')).rejects.toMatchObject({
      code: 'AzureUnavailable',
      message: `GET ${id}: no answer in time`,
    });
  });

  it('of ARM, while an operation is polled', async () => {
    server.answers.push(
      { status: 202, headers: { location: `${server.url}/results/1`, 'retry-after': '0' } },
      stalls({ keys: [] }),
    );
    await givesUp(server.arm({ requestTimeoutMs: timeoutMs }).post(`${id}/listKeys`, '2023-05-01'));
  });

  it("of the SDK's own clients, which have no limit of their own", async () => {
    server.answers.push(stalls({ id: 'x' }));
    const azure = connectAzure({ credential, cloud: server.cloud, requestTimeoutMs: timeoutMs });
    expect(azure.deployments('s')).toBeInstanceOf(DeploymentsClient);
    await givesUp(azure.deployments('s').deployments.get('g', 'd'));
    await givesUp(azure.ml('s').workspaces.get('g', 'w'));
    await givesUp(azure.resources('s').resourceGroups.get('g'));
  });

  it('of a vault, and of storage under a signature', async () => {
    server.answers.push(stalls({ value: 'x' }));
    const vault = openVault(credential, server.url, 'https://vault.azure.net', timeoutMs);
    await givesUp(vault.get('name'));
    const request = { method: 'GET' as const, address: `${server.url}/c/b`, token: 'sig=x' };
    await givesUp(sendSigned(request, { signal: never, timeoutMs }));
  });
});

describe('a blob that stalls', () => {
  const content = 'a'.repeat(1000);
  const download = async (answers: Answer[]) => {
    const key = Buffer.from('key').toString('base64');
    const account = {
      ...resource,
      properties: { primaryEndpoints: { blob: `${server.url}/a/` } },
    };
    const arm = {
      get: () => Promise.resolve(account),
      post: () => Promise.resolve({ keys: [{ value: key }] }),
    };
    const opened = await openBlobAccount(arm as never, {
      accountId: id,
      requestTimeoutMs: timeoutMs,
      tryTimeoutMs: timeoutMs,
      onRefused: () => undefined,
    });
    server.answers.push(...answers);
    return hashBlob({ account: opened, container: 'c', path: 'b' }, { signal: never });
  };
  const headers = { 'content-type': 'application/octet-stream', 'content-length': '1000', etag: '"1"' };

  it('in the middle is asked for the rest, from where it stopped', async () => {
    const rest: Answer = {
      status: 206,
      headers: { ...headers, 'content-length': '600', 'content-range': 'bytes 400-999/1000' },
      body: content.slice(400),
    };
    const answer = await download([{ status: 200, headers, body: content, stallsAfter: 400 }, rest]);
    expect(answer).toMatchObject({ sizeBytes: 1000 });
    expect(server.asked.map((each) => each.headers['x-ms-range'])).toEqual([undefined, 'bytes=400-999']);
  });

  it('again and again is given up', async () => {
    const part: Answer = { status: 200, headers, body: content, stallsAfter: 10 };
    await expect(download([part])).rejects.toMatchObject({ code: 'AzureUnavailable' });
  });
});

describe('a limit', () => {
  it('does not count against a slow reader', async () => {
    server.answers.push({ status: 200, body: 'x'.repeat(2_000_000) });
    const sent = await withinTimeout(
      { timeout: 100 },
      async (): Promise<{ readableStreamBody?: NodeJS.ReadableStream }> => {
        const response = await fetch(server.url);
        return { readableStreamBody: Readable.fromWeb(response.body as never) };
      },
    );
    let read = 0;
    for await (const chunk of sent.readableStreamBody ?? []) {
      read += chunk.length;
      if (read < 200_000) await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(read).toBe(2_000_000);
  });

  it('is told apart from a cancellation', async () => {
    server.answers.push(stalls(resource));
    const cancel = new AbortController();
    const work = server.arm({ requestTimeoutMs: 5000 }).get(id, '2023-05-01', { signal: cancel.signal });
    setTimeout(() => cancel.abort(), 100);
    await expect(work).rejects.not.toMatchObject({ code: 'AzureUnavailable' });
  });
});
