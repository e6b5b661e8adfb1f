/** Decisions at a gate are kept in the control store: each counts once, whichever door it came through. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { awaitApproval } from '../../src/gates/await-approval.ts';
import { closeByDeadline, listGates, openGate, readGate, recordDecision } from '../../src/gates/gate-document.ts';
import type { Gate } from '../../src/plan/plan.ts';
import { changeRun, readRun } from '../../src/run/journal.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

const gate: Gate = { name: 'g', approvals: 2, deadlineSeconds: 60, afterDeadline: 'decline' };
const patience = { timeout: 10_000 };
let stage: Stage;
let runId: string;

beforeEach(async () => {
  stage = await makeStage();
  runId = stage.scene.header.runId;
  await changeRun(stage.scene.store, runId, { state: 'running' });
});

const open = () =>
  openGate(stage.scene.store, { runId, step: 's', startedBy: 'ana', gate, now: stage.scene.clock.now() });

function decide(by: string, approve = true) {
  const at = stage.scene.clock.now().toISOString();
  return recordDecision(stage.scene.store, { runId, gate, decision: { by, at, approve, reason: 'seen' } });
}

describe('a gate', () => {
  it('does not take a decision before it asks', async () => {
    await expect(decide('bo')).rejects.toMatchObject({ message: expect.stringContaining('does not ask yet') });
  });

  it('is opened once, and closed by enough decisions, however they race', async () => {
    expect((await open()).isNew).toBe(true);
    expect((await open()).isNew).toBe(false);
    const made = await Promise.allSettled(['bo', 'cy', 'di', 'eve'].map((who) => decide(who)));
    const document = await readGate(stage.scene.store, runId, 'g');
    expect(document?.closed).toMatchObject({ as: 'approved' });
    expect(document?.decisions).toHaveLength(2);
    expect(made.filter(({ status }) => status === 'rejected')).toHaveLength(2);
    expect(await listGates(stage.scene.store, runId)).toEqual([document]);
  });

  it('refuses who started the run, and what comes late', async () => {
    await open();
    await expect(decide('ana')).rejects.toMatchObject({ message: expect.stringContaining('started the run') });
    await decide('bo', false);
    await expect(decide('cy')).rejects.toMatchObject({ message: expect.stringContaining('is closed: declined at') });
  });

  it('that was declined asks again when the run is started again; an approved one does not', async () => {
    await open();
    await decide('bo', false);
    expect((await open()).document).toMatchObject({ decisions: [] });
    await decide('bo');
    await decide('cy');
    expect((await open()).document.closed).toMatchObject({ as: 'approved' });
  });

  it('is closed by its deadline, unless people were first', async () => {
    await open();
    stage.scene.clock.forward(61_000);
    await expect(decide('bo')).rejects.toMatchObject({ message: expect.stringContaining('asked until') });
    const now = stage.scene.clock.now();
    const closed = { as: 'declined', at: now.toISOString(), byDeadline: true };
    expect((await closeByDeadline(stage.scene.store, { runId, gate, now })).closed).toEqual(closed);
  });
});

describe('the step', () => {
  const context = (of: Gate = gate) => {
    const made = stage.context('fence/platform/gate-g');
    return { ...made, step: { ...made.step, gate: of } };
  };

  it('waits, shows that the run does, and names who approved and for how long it waited', async () => {
    const waiting = awaitApproval(context());
    await vi.waitFor(
      async () => expect((await readRun(stage.scene.store, runId))?.state === 'waiting').toBe(true),
      patience,
    );
    expect((await readRun(stage.scene.store, runId))?.stateReason).toBe('gate "g" waits for 2 approvals (0 so far)');
    await decide('bo');
    stage.scene.clock.forward(30_000);
    await decide('cy');
    expect(await waiting).toMatchObject({
      state: 'completed',
      detail: expect.stringMatching(/approved by bo \(claimed\) at .*: seen; approved by cy/),
      waitedForPersonMs: 30_000,
    });
    expect(await readRun(stage.scene.store, runId)).toMatchObject({ state: 'running' });
  });

  it('fails where somebody declines, with who and why, and what to do', async () => {
    const waiting = awaitApproval(context());
    await vi.waitFor(
      async () => expect((await readGate(stage.scene.store, runId, 'g')) !== undefined).toBe(true),
      patience,
    );
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'PreconditionError',
      message: expect.stringContaining('declined by bo (claimed)'),
      details: { next: expect.stringContaining(`understudy cancel ${runId}`) },
    });
    await decide('bo', false);
    await refused;
  });

  it('finds what was decided while no workflow ran', async () => {
    await open();
    await decide('bo');
    await decide('cy');
    expect(await awaitApproval(context())).toMatchObject({ state: 'completed' });
  });

  it.each([
    ['decline', undefined],
    ['approve', 'approved at its deadline'],
  ] as const)('does at its deadline what is declared: %s', async (afterDeadline, detail) => {
    const waiting = awaitApproval(context({ ...gate, afterDeadline }));
    await vi.waitFor(
      async () => expect((await readGate(stage.scene.store, runId, 'g')) !== undefined).toBe(true),
      patience,
    );
    const ends =
      detail === undefined
        ? expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('declined at its deadline') })
        : expect(waiting).resolves.toMatchObject({ detail: expect.stringContaining(detail) });
    stage.scene.clock.forward(61_000);
    await ends;
  });
});
