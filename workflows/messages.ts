/** The messages of `executePlan`: declared beside it, and known to clients by these names. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { RunProgress } from '../src/run/progress.ts';

/** How far the run is. */
export const progress = defineQuery<RunProgress>('progress');
/** No new step starts until `resume`; what runs goes on to its end. */
export const pause = defineSignal<[by: string]>('pause');
export const resume = defineSignal<[by: string]>('resume');
