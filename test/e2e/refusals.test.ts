/** What must not begin does not: each refusal says why, names the place, and changes nothing. */
import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectDocument } from '../cli/output-documents.ts';
import { Scene } from './harness.ts';
import { journals, pointerOf, readControlStore, readEast } from './judge.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open({ workers: ['common'] });
});
afterAll(() => scene?.close());

/**
 * Runs a command that must be refused, and looks whether anything of the control store has changed but what was seen of
 * health.
 */
async function refused(args: string[], more: Record<string, string> = {}) {
  const before = await documents();
  const answer = await scene.run(args, more);
  expect(await documents()).toEqual(before);
  expect(answer.output).not.toMatch(/\n {4}at .+:\d+:\d+/);
  return answer;
}

async function documents(): Promise<Map<string, string>> {
  const all = await readControlStore(scene);
  return new Map([...all].filter(([name]) => !name.startsWith('health/')));
}

describe('a failover of a healthy region', () => {
  it('is refused, and says what it takes', async () => {
    const { code, output } = await refused(['failover', '--to', 'westus3', '--yes', '--reason', 'by mistake']);
    expect(code).toBe(1);
    expect(output).toContain('eastus is healthy');
    expect(output).toContain('--even-if-healthy');
  });

  it('is not asked for where there is nobody to ask', async () => {
    const { code, output } = await refused(['failover', '--even-if-healthy', '--reason', 'no terminal']);
    expect(code).toBe(2);
    expect(output).toContain('--to REGION');
  });
});

describe('a standby with too little quota', () => {
  it('is found by plan, with the family and the numbers', async () => {
    await scene.admin('POST', '/regions/westus3/quota', { standardDSv2Family: 4 });
    const { code, output } = await refused(['plan']);
    expect(code).toBe(1);
    expect(output).toMatch(
      /quota of .*DSv2.* in westus3: .*cpu-cluster would take 16 vCPUs more, and \d+ of 4 are in use/i,
    );
    const failover = await refused(['failover', '--to', 'westus3', '--yes', '--even-if-healthy']);
    expect(failover.code).toBe(1);
    await scene.admin('POST', '/regions/westus3/quota', { standardDSv2Family: 100 });
    expect((await scene.run(['plan'])).code).toBe(0);
  });
});

describe('a standby that does not answer', () => {
  it('keeps nobody from moving: that its quota could not be read is a note', async () => {
    await scene.outage('westus3', 'dark');
    const { code, output } = await scene.run(['plan']);
    await scene.outage('westus3', 'none');
    expect(code, output).toBe(0);
    expect(output).toMatch(/^note: the quota of westus3 could not be read, and may be too small/m);
  });
});

describe('a recovery point', () => {
  it('that was altered is refused, naming what is wrong and the one before, which can be taken', async () => {
    expect((await scene.run(['replicate'])).code).toBe(0);
    const names = [...(await readControlStore(scene)).keys()]
      .filter((name) => name.endsWith('/sealed.json'))
      .toSorted();
    const [older, newer] = names.map((name) => name.split('/')[3] ?? '');
    const container = (await scene.azure.blobs(scene.azure.controlStore())).getContainerClient('understudy');
    const parts: string[] = [];
    for await (const { name } of container.listBlobsFlat({
      prefix: (names.at(-1) ?? '').replace('sealed.json', 'inventory/models'),
    }))
      parts.push(name);
    const part = container.getBlockBlobClient(parts[0] ?? '');
    const text = (await part.downloadToBuffer()).toString('utf8');
    const cutShort = text.slice(0, -20);
    await part.upload(cutShort, Buffer.byteLength(cutShort));
    const { code, output } = await refused(['plan']);
    expect(code).toBe(1);
    expect(output).toContain(newer);
    expect(output).toMatch(/inventory\/models.*expected .*[0-9a-f]{64}/s);
    expect(output).toContain(older);
    expect((await scene.run(['plan', '--recovery-point', older ?? ''])).code).toBe(0);
    await part.upload(text, Buffer.byteLength(text));
    expect((await scene.run(['plan'])).code).toBe(0);
  });
});

describe('programs that read', () => {
  it('get one document as its schema says, whether a command is refused or not', async () => {
    const replicated = await scene.document(['replicate', '--reason', 'for a program']);
    expect(replicated).toMatchObject({
      code: 0,
      document: { started: true, state: 'completed', report: { run: { reason: 'for a program' } } },
    });
    expectDocument('replicate', replicated.document);
    const status = await scene.document(['status']);
    expectDocument('status', status.document);
    expect(status.document).toMatchObject({
      writer: 'eastus',
      runs: [],
      workers: expect.any(Array) as object,
    });
    expectDocument('runs', (await scene.document(['runs'])).document);
    expectDocument('plan', (await scene.document(['plan'])).document);
    const healthy = await scene.document(['failover', '--to', 'westus3', '--yes']);
    expect(healthy).toMatchObject({
      code: 1,
      document: { error: { code: 'PreconditionError', exitCode: 1 } },
    });
    expectDocument('error', healthy.document);
  });
});

describe('what is not there', () => {
  it('Temporal', async () => {
    const { code, output } = await refused(['failover', '--to', 'westus3', '--yes', '--even-if-healthy'], {
      TEMPORAL_ADDRESS: '127.0.0.1:9',
    });
    expect(code).toBe(1);
    expect(output).toContain('cannot reach Temporal at 127.0.0.1:9');
    expect(output).toContain('TEMPORAL_ADDRESS');
  });

  it('a template, which only what begins something needs', async () => {
    const template = join(dirname(scene.topology), '../../templates/workspace.bicep');
    const runId = journals(await readControlStore(scene), 'replicate')[0]?.run.runId ?? '';
    await rename(template, `${template}.gone`);
    try {
      for (const args of [['status'], ['runs'], ['runs', '--journal'], ['report', runId]]) {
        const { code, output } = await scene.run(args);
        expect([0, 4, 5], output).toContain(code);
      }
      for (const [args, says] of [
        [['pause'], 'there is nothing to pause'],
        [['unpause'], 'there is nothing to unpause'],
        [['cancel'], 'there is nothing to cancel'],
        [['cancel', '--replication'], 'no replicate of "fraud-ml" is open'],
        [['retry', runId], 'is completed: there is nothing to retry'],
      ] as const) {
        const { code, output } = await refused([...args]);
        expect(output).toContain(says);
        expect(code).toBe(1);
      }
      for (const args of [
        ['validate'],
        ['plan'],
        ['replicate'],
        ['failover', '--to', 'westus3', '--yes', '--even-if-healthy'],
      ]) {
        const { code, output } = await refused(args);
        expect(output).toMatch(/regions\.eastus\.template\.file: cannot read ".*workspace\.bicep"/);
        expect(code).toBe(2);
      }
    } finally {
      await rename(`${template}.gone`, template);
    }
  });

  it('status and runs read the journal without Temporal', async () => {
    const { code, output } = await scene.run(['runs'], { TEMPORAL_ADDRESS: '127.0.0.1:9' });
    expect(code, output).toBe(0);
    const [run] = journals(await readControlStore(scene), 'replicate');
    expect(output).toContain(run?.run.runId);
  });

  it('Azure', async () => {
    const { code, output } = await scene.run(['status'], {
      AZURE_RESOURCE_MANAGER_ENDPOINT: 'https://localhost:9',
    });
    expect(code).toBe(1);
    expect(output).toContain('no answer');
  });

  it('trust in its certificate', async () => {
    const { code, output } = await scene.run(['status'], { NODE_EXTRA_CA_CERTS: '' });
    expect(code).toBe(1);
    expect(output).toMatch(/certificate/i);
    expect(output).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('the right secret', async () => {
    const { code, output } = await scene.run(['status'], { AZURE_CLIENT_SECRET: 'wrong' });
    expect(code).toBe(1);
    expect(output).toContain('AADSTS7000215');
    expect(output).toContain('AZURE_CLIENT_SECRET');
  });
});

describe('a region that hangs', () => {
  it('is told from a healthy one within seconds', async () => {
    await scene.outage('eastus', 'hang');
    const began = Date.now();
    const { output } = await scene.run(['status']);
    await scene.outage('eastus', 'none');
    expect(output).toMatch(/eastus .*no answer in time/);
    expect(Date.now() - began).toBeLessThan(40_000);
    expect(pointerOf(await readControlStore(scene)).writer).toBe('eastus');
    expect((await readEast(scene.azure)).jobs.size).toBeGreaterThan(0);
  });

  it('is so too where its storage alone takes connections and says nothing', async () => {
    await scene.admin('DELETE', '/faults');
    await scene.admin('POST', '/regions/eastus/outage', { mode: 'hang', parts: ['storage'] });
    const began = Date.now();
    const { output } = await scene.run(['status']);
    expect(Date.now() - began).toBeLessThan(30_000);
    expect(output).toMatch(/^eastus +unhealthy: storage FAILED/m);
    await scene.admin('DELETE', '/faults');
  });
});
