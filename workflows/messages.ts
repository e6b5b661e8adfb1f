/** The messages of a run's workflow: declared next to it, and known to clients by these names. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { RunProgress } from '../src/run/progress.ts';

/** How far the run is. */
export const progress = defineQuery<RunProgress>('progress');
/** No new step starts until `unpause`; what runs goes on to its end. */
export const pause = defineSignal<[by: string]>('pause');
export const unpause = defineSignal<[by: string]>('unpause');
