/** Plans in the control store, by their digest. */
import { documentKind } from '../control-store/document.ts';
import { Plan } from '../plan/plan.ts';

export const plans = documentKind('plan', 2, Plan);
export const planFolder = 'plans';
