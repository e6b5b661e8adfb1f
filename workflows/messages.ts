/** The messages of a run's workflow: declared next to it; clients use these names. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Decision } from '../src/plan/plan.ts';
import type { RunProgress } from '../src/run/progress.ts';

/** How far the run is. */
export const progress = defineQuery<RunProgress>('progress');
/** No new step starts until `unpause`; running steps continue to their end. */
export const pause = defineSignal<[by: string]>('pause');
/** What a person decides at a gate. */
export interface GateDecision {
  gate: string;
  decision: Decision;
}

/** A decision at a gate that asks now. It is journalled before the update returns the line that says how it stands. */
export const decide = defineUpdate<string, [GateDecision]>('decide');
/** Steps may start again. */
export const unpause = defineSignal<[by: string]>('unpause');
