/**
 * A plan: the ordered steps of one operation, compiled once by a pure function, stored by digest, then interpreted.
 * Nothing here does I/O, and nothing here knows Temporal: the workflow and the activities interpret these types.
 */
import type { Operation, Phase, ResourceClass } from '../topology/words.ts';
import type { ActionName } from './actions.ts';

export interface Step {
  /** `restore/data/blobs`: unique in the plan, stable between two compilations of the same input. */
  id: string;
  /** Absent in operations without phases (`deploy`, `replicate`). */
  phase?: Phase;
  class: ResourceClass;
  action: ActionName;
  /** What a person reads: "Copy 212 blobs into frauddrwest". */
  title: string;
  /** Ids of the steps that must be completed (or skipped) before this one. */
  needs: string[];
  /** What the action needs beyond the plan's own fields: names, never values of secrets; small. */
  input: Record<string, unknown>;
  /** The host whose task queue must run it (config files on a named host). */
  host?: string;
  /** The action can be undone when the run is cancelled. */
  undoable: boolean;
  /** Predicted duration in seconds, where one can be predicted. */
  expectedSeconds?: number;
}

export interface RecoveryPointRef {
  /** `2026-11-21T10-00-00.000Z-e1`: start of its listing, and its epoch. */
  id: string;
  /** Digest of the sealed manifest: sha256 hex. */
  digest: string;
  /** When its listing began (ISO 8601): RPO is measured from here. */
  startedAt: string;
}

export interface Plan {
  version: 1;
  operation: Operation;
  topology: string;
  /** Digest of the bundle (topology, templates, parameters) in the control store. */
  bundle: string;
  from: string;
  to: string;
  recoveryPoint?: RecoveryPointRef;
  /** The epoch the plan was made in; the run refuses to start in another. */
  madeInEpoch: number;
  steps: Step[];
  /** What a person should know before it runs: nothing to restore for a class, an objective without a probe, … */
  notes: string[];
}
