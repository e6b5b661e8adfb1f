/** How the workflow of a run is started: under which id, and what Temporal's UI shows of it. */
import { workflowIdOf, type Operation } from './operations.ts';
import { searchAttributes } from './search-attributes.ts';

/** Options of the start, and the search attributes that it is given, by name. */
export function workflowOfRun<R extends { runId: string; topology: string; operation: Operation }>(run: R) {
  const options = {
    workflowId: workflowIdOf(run),
    args: [run] as [R],
    memo: { runId: run.runId },
    staticSummary: `${run.operation} of ${run.topology}: ${run.runId}`,
  };
  const attributes = {
    [searchAttributes.topology]: run.topology,
    [searchAttributes.operation]: run.operation,
    [searchAttributes.outcome]: 'running',
  };
  return { options, attributes };
}
