/** Steps are put in order by what they provide and require, and a plan that cannot be put in order is refused. */
import { describe, expect, it } from 'vitest';
import { compose } from '../../src/plan/compose.ts';
import { provides, type Fact, type Requirement } from '../../src/plan/facts.ts';
import type { StepDraft } from '../../src/plan/fragments/fragment.ts';
import { topologyOf } from '../topology/minimal.ts';

const { policies } = topologyOf();
const sides = { from: 'eastus', to: 'westus3', policies };

function draft(name: string, requires: Requirement[], given: Fact[], more: Partial<StepDraft> = {}): StepDraft {
  return { class: 'data', name, action: 'listActive', title: name, requires, provides: given, ...more };
}

describe('steps', () => {
  it('stand after what they require, and otherwise as they were given', () => {
    const steps = compose(
      [
        draft('seal', ['point.copied'], ['recovery-point']),
        draft('first', [], []),
        draft('copy', ['point.listed'], ['point.copied']),
        draft('list', [], ['point.listed']),
      ],
      sides,
    );
    expect(steps.map(({ id, needs }) => [id, needs])).toEqual([
      ['first', []],
      ['list', []],
      ['copy', ['list']],
      ['seal', ['copy']],
    ]);
  });

  it('wait for every step that provides what they require', () => {
    const [, , last] = compose(
      [
        draft('one', [], ['target.verified(data)']),
        draft('two', [], ['target.verified(data)']),
        draft('last', ['target.verified(data)'], []),
      ],
      sides,
    );
    expect(last?.needs).toEqual(['one', 'two']);
  });

  it('do not name twice what another need waits for', () => {
    const steps = compose(
      [
        draft('list', [], ['point.listed']),
        draft('copy', ['point.listed'], ['point.copied']),
        draft('seal', ['point.listed', 'point.copied'], ['recovery-point']),
      ],
      sides,
    );
    expect(steps.at(-1)?.needs).toEqual(['copy']);
  });

  it('require nothing of a step where the input of the plan provides it', () => {
    const [restore] = compose([draft('restore', ['recovery-point'], [])], { ...sides, given: ['recovery-point'] });
    expect(restore?.needs).toEqual([]);
  });

  it('come after the earlier phase of their class, but not after steps that provide nothing', () => {
    const [blobs, , , serving] = compose(
      [
        draft('blobs', [], ['target.blobs(data)'], { phase: 'restore' }),
        draft('alone', [], [], { phase: 'restore' }),
        draft('other', [], ['target.blobs(training)'], { phase: 'restore', class: 'training' }),
        draft('serving', [], [], { phase: 'switch' }),
      ],
      sides,
    );
    expect([blobs?.id, serving?.id, serving?.needs]).toEqual([
      'restore/data/blobs',
      'switch/data/serving',
      ['restore/data/blobs'],
    ]);
  });

  it('carry the sides, and say what they provide', () => {
    const [step] = compose([draft('list', [], ['point.listed'])], sides);
    expect(step).toMatchObject({ from: 'eastus', to: 'westus3', provides: ['point.listed'] });
  });
});

describe('a debt', () => {
  const intake = draft('intake', [], ['old.intake-stopped'], { providesOwed: ['old.intake-owed'] });

  it('is enough where the requirement accepts it', () => {
    const [, step] = compose(
      [intake, draft('serve', [{ anyOf: ['old.intake-stopped', 'old.intake-owed'] }], [])],
      sides,
    );
    expect(step).toMatchObject({ needs: ['intake'] });
    expect(step?.unowed).toBeUndefined();
  });

  it('is not enough where it does not', () => {
    const [, step] = compose([intake, draft('serve', ['old.intake-stopped'], [])], sides);
    expect(step).toMatchObject({ needs: ['intake'], unowed: ['intake'] });
  });

  it('is not enough though another step, which accepts it, stands between', () => {
    const [, , last] = compose(
      [
        intake,
        draft('between', [{ anyOf: ['old.intake-stopped', 'old.intake-owed'] }], ['point.listed']),
        draft('last', ['point.listed', 'old.intake-stopped'], []),
      ],
      sides,
    );
    expect(last).toMatchObject({ needs: ['between', 'intake'], unowed: ['intake'] });
  });
});

describe('a plan is refused', () => {
  const refusal = (drafts: StepDraft[]) => {
    try {
      compose(drafts, sides);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('where no step provides what one requires', () => {
    expect(refusal([draft('copy', ['point.listed'], [])])).toMatchObject({
      code: 'PlanError',
      message: 'step "copy" requires "point.listed", which no step provides',
    });
    expect(refusal([draft('serve', [{ anyOf: ['old.intake-stopped', 'old.intake-owed'] }], [])])).toMatchObject({
      message: 'step "serve" requires "old.intake-stopped" or "old.intake-owed", which no step provides',
    });
  });

  it('where steps require each other, or themselves', () => {
    const circle = [
      draft('before', ['point.copied'], []),
      draft('list', ['point.copied'], ['point.listed']),
      draft('copy', ['point.listed'], ['point.copied']),
    ];
    expect(refusal(circle)).toMatchObject({
      code: 'PlanError',
      message: 'steps require each other: copy → list → copy',
    });
    expect(refusal([draft('self', ['point.listed'], ['point.listed'])])).toMatchObject({
      message: 'steps require each other: self → self',
    });
  });

  it('where two steps have one id', () => {
    expect(refusal([draft('list', [], []), draft('list', [], [])])).toMatchObject({
      code: 'PlanError',
      message: 'two steps have the id "list"',
    });
  });
});

describe('what a step provides', () => {
  it('is known of plans of earlier releases, which do not say it', () => {
    expect(provides({ action: 'copyBlobs' }, 'point.copied')).toBe(true);
    expect(provides({ action: 'copyBlobs' }, 'point.listed')).toBe(false);
    expect(provides({ action: 'copyBlobs', provides: [] }, 'point.copied')).toBe(false);
  });
});
