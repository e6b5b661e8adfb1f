/** Which leases an execution needs for a step of its run: those of a switchover, next to a replication. */
import { beforeEach, describe, expect, it } from 'vitest';
import { holdWriterLease, movePointer, readPointerIfAny } from '../../src/control-store/region-pointer.ts';
import { takePointer } from '../../src/fence/take-pointer.ts';
import type { Operation } from '../../src/plan/operations.ts';
import { changeRun } from '../../src/run/journal.ts';
import { holdLeases, releaseLeases, takeLease } from '../../src/run/leases.ts';
import type { RunExecution } from '../../src/run/reference.ts';
import { takeOver } from '../../src/topology/pointer.ts';
import { makeStage, type Stage } from './step-context.ts';

const seconds = 1000;
let stage: Stage;
const start = async (operation: Operation) => {
  stage = await makeStage('policies: { leaseTtl: 30s, clockSkew: 5s }\n', operation);
};

/** What a step of the run does before its work, at each checkpoint, and before its outcome is recorded. */
const hold = (run: RunExecution = stage.scene.run) => {
  const { store, plan, clock } = stage.scene;
  const { bundle } = stage.context('x');
  return holdLeases({ store, plan, bundle }, run, clock.now);
};
const replicate = () =>
  holdWriterLease(stage.scene.store, {
    holder: 'the-replication',
    epoch: 1,
    ttlMs: 30 * seconds,
    skewMs: 5 * seconds,
    now: stage.scene.clock.now().getTime(),
  });
const pointer = async () => (await readPointerIfAny(stage.scene.store))?.value;

describe('a step of a switchover', () => {
  beforeEach(() => start('switchover'));

  it('waits while a replication holds the writer lease, and goes on once that has ended', async () => {
    await replicate();
    await expect(hold()).rejects.toMatchObject({
      code: 'NotYetError',
      retryable: true,
      message: 'it waits: run "the-replication" holds the writer lease',
    });
    stage.scene.clock.forward(36 * seconds);
    await hold();
    expect((await pointer())?.lease?.holder).toBe(stage.scene.header.runId);
  });

  it('has the writer lease: no replication begins meanwhile', async () => {
    await hold();
    await expect(replicate()).rejects.toMatchObject({ code: 'FencedError' });
    // As long as it renews it.
    for (let minute = 0; minute < 5; minute++) {
      stage.scene.clock.forward(20 * seconds);
      await hold();
      await expect(replicate()).rejects.toMatchObject({ code: 'FencedError' });
    }
  });

  it('fails, and does not wait, where another run has moved the pointer', async () => {
    await movePointer(stage.scene.store, (found) => takeOver(found, 'westus3', 'other', stage.scene.clock.now(), 0));
    await expect(hold()).rejects.toMatchObject({ code: 'FencedError' });
  });

  it('that another execution has taken over does not wait either', async () => {
    await hold();
    const { store, clock } = stage.scene;
    clock.forward(36 * seconds);
    await replicate();
    await takeLease(store, stage.scene.as('wf-2', { resumed: true }), clock.now());
    await expect(hold()).rejects.toMatchObject({ code: 'FencedError' });
    await expect(hold(stage.scene.as('wf-2'))).rejects.toMatchObject({ code: 'NotYetError' });
  });

  it('does not wait at the takeover for the lease that its own run holds, and needs none from then on', async () => {
    await hold();
    const before = stage.scene.clock.now().getTime();
    expect(await takePointer(stage.context('fence/platform/pointer'))).toMatchObject({
      detail: 'epoch 2: westus3 is the writer',
    });
    expect(stage.scene.clock.now().getTime()).toBe(before);
    expect(await pointer()).not.toHaveProperty('oldWritersUntil');
    await hold();
    expect(await pointer()).not.toHaveProperty('lease');
  });

  it('gives the writer lease back at its end, so that a replication need not wait', async () => {
    await hold();
    await changeRun(stage.scene.store, stage.scene.header.runId, { state: 'failed' });
    await releaseLeases(stage.scene.store, stage.scene.run, false);
    await replicate();
    expect((await pointer())?.lease?.holder).toBe('the-replication');
  });
});

describe('a step of a failover', () => {
  beforeEach(() => start('failover'));

  it('waits for no replication: what that writes is fenced by the pointer', async () => {
    await replicate();
    await hold();
    expect((await pointer())?.lease?.holder).toBe('the-replication');
  });
});

describe('a step of a replication', () => {
  beforeEach(() => start('replicate'));

  it('is refused while another run has the writer lease', async () => {
    await replicate();
    await expect(hold()).rejects.toMatchObject({ code: 'FencedError' });
  });
});

describe('a step of a resubmission', () => {
  beforeEach(() => start('resubmit'));

  it('waits while a replication holds the writer lease, and goes on once that has ended', async () => {
    await replicate();
    await expect(hold()).rejects.toMatchObject({ code: 'NotYetError' });
    stage.scene.clock.forward(36 * seconds);
    await hold();
    expect((await pointer())?.lease?.holder).toBe(stage.scene.header.runId);
  });
});
