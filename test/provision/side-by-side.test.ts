/**
 * Long operations on computes and deployments: side by side, within the policy's time, going on where an attempt was
 * cut short.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { notACluster } from '../../src/provision/compute-kinds.ts';
import { scaleDeployments, scaleDeploymentsBack } from '../../src/provision/scale-deployments.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { topologyOf } from '../topology/minimal.ts';
import { makeStage, type Stage } from '../run/step-context.ts';
import type { StepContext } from '../../src/run/work/step-context.ts';

const id = 'provision/inference/deployments';
const names = ['a', 'b', 'c', 'd'];

let stage: Stage;
beforeEach(async () => {
  stage = await makeStage();
  for (const name of names) stage.arm.add(pathOf(name), { properties: {}, sku: { name: 'Default', capacity: 1 } });
});

const pathOf = (name: string) =>
  `${workspaceId(stage.context(id).to.workspace)}/onlineEndpoints/score/deployments/${name}`;
const capacityOf = (name: string) =>
  (stage.arm.resources.get(pathOf(name).toLowerCase())?.sku as { capacity: number } | undefined)?.capacity;
const context = (change: Partial<StepContext> = {}) =>
  stage.context(id, {
    step: {
      ...stage.context(id).step,
      input: {
        endpoints: [{ name: 'score', deployments: names.map((name) => ({ name, instanceCount: 3 })) }],
      },
    },
    ...change,
  });
const patched = () =>
  stage.arm.requests.filter((each) => each.startsWith('PATCH')).map((each) => each.split('/').at(-1));
const withPatch = (patch: StepContext['azure']['arm']['patch']) =>
  ({ arm: { ...stage.arm, patch } }) as unknown as StepContext['azure'];

describe('deployments', () => {
  it('are scaled side by side: none waits for another', async () => {
    let under = 0;
    const all = Promise.withResolvers<void>();
    const azure = withPatch(async (...asked) => {
      if (++under === names.length) all.resolve();
      await all.promise;
      return stage.arm.patch(...asked);
    });
    expect((await scaleDeployments(context({ azure }))).detail).toBe('4 of 4 deployments there, 4 scaled up');
    expect(names.map(capacityOf)).toEqual([3, 3, 3, 3]);
  });

  it('go on where an attempt was cut short', async () => {
    stage.arm.faults.push({ method: 'PATCH', path: /\/c$/, kind: 'silent', times: 1 });
    await expect(scaleDeployments(context())).rejects.toThrow('no answer');
    const cursor = stage.told.at(-1)?.cursor;
    expect(cursor).toMatchObject({ ended: { 'score/a': null, 'score/b': null, 'score/d': null } });
    stage.arm.requests.length = 0;
    const { detail, counts } = await scaleDeployments(context({ cursor }));
    expect(detail).toBe('4 of 4 deployments there, 4 scaled up');
    expect(counts).toMatchObject([{ expected: 4, done: 4 }]);
    expect(stage.arm.requests.map((each) => each.split('/').at(-1))).toEqual(['c', 'c']); // looked at, and scaled
  });

  it('that an attempt before has begun to scale are waited for, not scaled again', async () => {
    const slow = stage.arm.resources.get(pathOf('a').toLowerCase());
    if (!slow) throw new Error('no deployment a');
    Object.assign(slow, { properties: { provisioningState: 'Updating' } });
    setTimeout(() => {
      Object.assign(slow, {
        properties: { provisioningState: 'Succeeded' },
        sku: { name: 'Default', capacity: 3 },
      });
    }, 300);
    await scaleDeployments(context());
    expect(patched()).not.toContain('a');
    expect(capacityOf('a')).toBe(3);
  });

  it('that take longer than the policy are told, and hold up no others', async () => {
    const azure = withPatch((path, version, body, options) =>
      path.endsWith('/b')
        ? new Promise((_, reject) => {
            options?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
          })
        : stage.arm.patch(path, version, body, options),
    );
    const topology = topologyOf('policies: { provisionDeadline: 1s }');
    const result = await scaleDeployments(context({ azure, topology }));
    expect(result.counts).toMatchObject([{ expected: 4, done: 3, failed: [{ count: 1 }] }]);
    expect(result.lost).toEqual(['deployment score/b: not done within 1s (policies.provisionDeadline)']);
  });

  it('end with the lease: what Azure answers is no reason to go on', async () => {
    let told = 0;
    const lost = new Error('the lease is lost');
    const azure = withPatch(async (path, version, body, options) => {
      for (;;) {
        options?.signal?.throwIfAborted();
        options?.onAnswer?.();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
    const checkpoint = () => (++told > 1 ? Promise.reject(lost) : Promise.resolve());
    await expect(scaleDeployments(context({ azure, checkpoint }))).rejects.toBe(lost);
  });

  it('shrink side by side, and only those that have grown', async () => {
    await scaleDeployments(context());
    const undo = await context().recordUndo(() => Promise.reject(new Error('no undo was kept')));
    stage.arm.requests.length = 0;
    await scaleDeploymentsBack(context(), undo);
    await scaleDeploymentsBack(context(), undo);
    expect(new Set(patched())).toEqual(new Set(names));
    expect(patched()).toHaveLength(names.length);
    expect(names.map(capacityOf)).toEqual([1, 1, 1, 1]);
  });
});

describe('a compute that is no cluster', () => {
  it.each([
    ['AKS', /^an attached AKS cluster: .*attach one of the standby's region/],
    ['VirtualMachine', /^an attached virtual machine: /],
    ['Databricks', /^an attached Databricks workspace: /],
    ['SynapseSpark', /^an attached Synapse Spark pool: /],
    ['Quantum', /^a compute of type Quantum: /],
  ])('%s is called by its kind, and is nobody’s', (type, expected) => {
    expect(notACluster(type)).toMatch(expected);
    expect(notACluster(type)).not.toMatch(/person/);
  });

  it('belongs to a person only where it is a compute instance', () => {
    expect(notACluster('ComputeInstance')).toMatch(/belongs to a person/);
  });
});
