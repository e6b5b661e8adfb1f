/** The main job: a region fails, one command moves the workspace; judged by what Azure and the host then hold. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mirroredStates } from '../../src/inventory/mirror-state.ts';
import { readText } from './azure-reader.ts';
import { Scene } from './harness.ts';
import { judgeMoved, originalClients, readClients, readControlStore, readEast } from './judge.ts';
import { leaks, secretsOf, tracesOf } from './secrets.ts';
import type { Workspace } from './workspaces.ts';

describe('a failover with the active region dark', () => {
  let scene: Scene;
  let before: Workspace;
  let secrets: Map<string, string>;
  let ended: number | NodeJS.Signals;
  let output = '';

  beforeAll(async () => {
    scene = await Scene.open({ workers: ['common'] });
    before = await readEast(scene.azure);
    secrets = await secretsOf(scene);
    // As a monitor does each minute: the beginning of the outage is known to the second.
    await scene.run(['status']);
    await scene.outage('eastus', 'dark');
    const failover = scene.command(['failover', '--to', 'westus3', '--yes', '--reason', 'eastus does not answer']);
    await scene.step('provision/');
    // The run goes on without the person's files, and the common worker never had the host's.
    await rename(join(scene.folder, 'desk'), join(scene.folder, 'desk-taken-away'));
    await scene.step('verify/');
    expect(await readClients(scene)).toEqual(await originalClients(scene));
    await scene.hostWorker();
    // Heartbeats are gone when a step ends: they are met on the way.
    while (failover.alive) await scene.running();
    ended = await failover.ended;
    output = failover.output;
    await rename(join(scene.folder, 'desk-taken-away'), join(scene.folder, 'desk'));
    await scene.outage('eastus', 'none');
  });
  afterAll(() => scene?.close());

  it('ends with exit code 0', () => {
    expect(ended, output).toBe(0);
  });

  it('leaves the standby with everything, once', async () => {
    await judgeMoved(scene, before);
  });

  it('would have what it needs, were the control store lost too', async () => {
    const account = `/subscriptions/${scene.cloud.subscriptionId}/resourceGroups/ml-west/providers/Microsoft.Storage/storageAccounts/fraudmlwestst`;
    const replicas = (await scene.azure.blobs(account)).getContainerClient('understudy-replica');
    const copyOf = (name: string) => readText(replicas.getBlobClient(name));
    const { point, documents } = mirroredStates.parse(JSON.parse(await copyOf('state/newest.json')), 'newest.json');
    const kept = await readControlStore(scene);
    const folder = [...kept.keys()].find((name) => name.endsWith(`/${point}/sealed.json`))?.replace('/sealed.json', '');
    const parts = [...kept].filter(([name]) => name.startsWith(`${folder}/`) && name.endsWith('.ndjson'));
    const copies = new Set(await Promise.all(documents.map(({ name }) => copyOf(name))));
    for (const [name, text] of parts) expect(copies, name).toContain(text);
    expect(copies).toContain(kept.get(`${folder}/sealed.json`));
    expect(await copyOf(`state/points/${point}/pointer.json`)).toContain('"writer":"eastus"');
  });

  it('leaves no secret anywhere', async () => {
    const traces = await tracesOf(scene);
    const runId = runOf(output);
    const seen = [...traces].filter(([, text]) => text.includes(runId)).map(([where]) => where.replace(/ .*/, ''));
    // A search that cannot see the run's id would not see a secret either.
    for (const where of ['history', 'control', 'cli.log', 'stack/temporal.db']) expect(seen).toContain(where);
    expect(traces.get('heartbeats')).toMatch(/"unit":"/);
    expect(leaks(new Map([['the id', runId]]), traces).length).toBeGreaterThan(20);
    expect(leaks(secrets, traces)).toEqual([]);
  });

  it('reports RTO since the outage, which is no less than since the trigger, and counts that add up', async () => {
    const runId = runOf(output);
    const report = JSON.parse(
      await readFile(join(scene.folder, 'cli', 'reports', runId, 'report.json'), 'utf8'),
    ) as Report;
    expect(report.run.state).toBe('completed');
    for (const row of report.counts) {
      const sum = (parts: { count: number }[]) => parts.reduce((total, { count }) => total + count, 0);
      expect(row.done + sum(row.skipped) + sum(row.failed), row.kind).toBe(row.expected);
      expect(sum(row.failed), row.kind).toBe(0);
    }
    for (const { class: name, rto } of report.objectives) {
      expect(rto.sinceTriggerMs, name).toBeGreaterThan(0);
      expect(rto.sinceOutageMs, name).toBeGreaterThanOrEqual(rto.sinceTriggerMs);
      expect(rto.sinceOutageAtMostMs, name).toBeGreaterThanOrEqual(rto.sinceOutageMs);
      expect(rto.verdict, name).toBe('met');
    }
  });
});

function runOf(output: string): string {
  return /^ +run +(\S+-failover-\S+)$/m.exec(output)?.[1] ?? '';
}

interface Report {
  run: { state: string };
  counts: {
    kind: string;
    expected: number;
    done: number;
    skipped: { count: number }[];
    failed: { count: number }[];
  }[];
  objectives: {
    class: string;
    rto: { sinceTriggerMs: number; sinceOutageMs: number; sinceOutageAtMostMs: number; verdict: string };
  }[];
}
