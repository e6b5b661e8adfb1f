export { executePlan } from './execute-plan.ts';
