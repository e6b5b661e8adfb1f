/** What plans are made from, and what making one finds. */
import type { Azure } from '../../azure/azure.ts';
import type { ControlStore } from '../../control-store/store.ts';
import type { Plan } from '../../plan/plan.ts';
import type { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import { bundles, type Bundle } from '../../run/bundle.ts';
import type { StandbyFinding } from '../../standby/findings.ts';
import type { Topology } from '../../topology/topology.ts';
import type { SharedThing } from '../../workspace/sharing.ts';
import type { Session } from '../session.ts';

/** A plan, and what was found while it was made. */
export interface MadePlan {
  plan: Plan;
  /** What would make the run fail: the plan is refused while there is one. */
  problems: string[];
  /** What could not be checked, and does not block the move. */
  warnings: string[];
  recoveryPoint?: RecoveryPointSummary;
  /** What both sides use. */
  sharing: SharedThing[];
  /** What was found of the standby, including what prevents it from taking over; each finding has a name. */
  findings: StandbyFinding[];
  /** What the move would lose, or leave for people, as the recovery point has it. */
  losses: string[];
  /** It goes back to the region that was declared active. */
  isReturn?: boolean;
}

/** What a plan is made from. */
export interface Planning {
  azure: Azure;
  store: ControlStore;
  topology: Topology;
  /** Digest that sealing the bundle gives. */
  bundle: string;
  /** Absent: nobody is warned of what the templates would remove. */
  templates?: Bundle['templates'];
  now: Date;
}

/** What a plan of this session is made from: its topology, stores and templates. */
export async function planningOf(session: Session, now = new Date()): Promise<Planning> {
  const { azure, store, topology } = session;
  const bundle = await session.bundle();
  return { azure, store, topology, bundle: bundles.digest(bundle), templates: bundle.templates, now };
}

/** The options of a plan; an operation ignores those that it does not know. */
export interface PlanRequest {
  to?: string;
  recoveryPoint?: string;
  acceptLoss?: string[];
  unattended?: boolean;
  /** What a person has decided about a merge: `ITEM=WHO`. */
  decide?: string[];
}
