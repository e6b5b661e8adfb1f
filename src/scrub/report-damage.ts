/**
 * The action `reportDamage`: the last one of `replicate`. It fails if copies are damaged beyond repair and nobody has
 * accepted that.
 */
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { LossAcceptance, StepContext } from '../run/work/step-context.ts';
import {
  acceptDamage,
  knownDamage,
  showDamagedPoint,
  showDamagedReplica,
  type KnownDamage,
} from '../recovery-point/damage.ts';
import { showCount } from '../topology/figures.ts';

/** Errors: ReconciliationError; ControlStoreError (the ledger of the scrub is not readable). */
export async function reportDamage(context: StepContext): Promise<StepResult> {
  const { store, acceptedLoss } = context;
  const known = await knownDamage(store);
  const open = openOf(known);
  if (open.count === 0) {
    // An earlier attempt may have been killed after it recorded the acceptance: the loss is still reported.
    const lost = acceptedLoss ? acceptedBy(known, acceptedLoss) : [];
    return { state: 'completed', detail: describe(known), ...(lost.length > 0 ? { lost } : {}) };
  }
  if (!acceptedLoss) throw damaged(context, open);
  await acceptDamage(store, { ...acceptedLoss, at: context.now().toISOString() });
  return {
    state: 'completed',
    detail: `${open.what}: accepted as lost by ${acceptedLoss.by}: ${acceptedLoss.reason}`,
    lost: open.lines,
  };
}

function describe({ replicas, points }: KnownDamage): string {
  if (replicas.count + points.length === 0) return 'no copy is known to be damaged';
  return `${showCount(replicas.count, 'copy', 'copies')} and ${showCount(points.length, 'recovery point')} are damaged, and accepted as lost`;
}

function acceptedBy({ examples }: KnownDamage, { by, reason }: LossAcceptance): string[] {
  return examples
    .filter(({ accepted }) => accepted?.by === by && accepted.reason === reason)
    .map((each) => `${showDamagedReplica(each)} (accepted by ${by}: ${reason})`);
}

interface Open {
  count: number;
  what: string;
  lines: string[];
}

function openOf(known: KnownDamage): Open {
  const copies = known.replicas.count - known.replicas.accepted;
  const points = known.points.filter(({ accepted }) => !accepted);
  const examples = known.examples.filter(({ accepted }) => !accepted).map(showDamagedReplica);
  return {
    count: copies + points.length,
    what: [
      ...(copies > 0 ? [`${showCount(copies, 'copy is', 'copies are')} damaged for good`] : []),
      ...(points.length > 0 ? [`parts of ${showCount(points.length, 'recovery point')} are missing or altered`] : []),
    ].join(', and '),
    lines: [
      ...examples,
      ...(copies > examples.length ? [`and ${copies - examples.length} more copies`] : []),
      ...points.map(showDamagedPoint),
    ],
  };
}

function damaged({ run, step }: StepContext, { what, lines }: Open): UnderstudyError {
  const shown = lines.slice(0, 3).join('; ');
  return new UnderstudyError('ReconciliationError', `${what}: ${shown}${lines.length > 3 ? '; …' : ''}`, {
    next: `The recovery point of this run is sealed. Put back what is damaged, and run "understudy replicate" again; or accept the loss: understudy retry ${run.runId} --accept-loss ${step.id} --reason "…".`,
  });
}
