/** The messages of a run's workflow: declared next to it; clients use these names. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { RunProgress } from '../src/run/progress.ts';

/** How far the run is. */
export const progress = defineQuery<RunProgress>('progress');
/** No new step starts until `unpause`; running steps continue to their end. */
export const pause = defineSignal<[by: string]>('pause');
/** Steps may start again. */
export const unpause = defineSignal<[by: string]>('unpause');
