/** Runs as Temporal lists them, by the search attributes. */
import type { Client } from '@temporalio/client';
import { searchAttributes } from '../plan/search-attributes.ts';

export interface ListedRun {
  runId: string;
  operation: string;
  state: string;
  startedAt: string;
  endedAt?: string | undefined;
}

export async function listWorkflows(client: Client, topology: string): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  for await (const workflow of client.workflow.list({
    query: `${searchAttributes.topology} = "${topology}"`,
  })) {
    const attribute = (name: string) => {
      const values = (workflow.searchAttributes as Record<string, unknown[] | undefined>)[name];
      return typeof values?.[0] === 'string' ? values[0] : undefined;
    };
    const status = workflow.status.name.toLowerCase();
    const outcome = attribute(searchAttributes.outcome);
    runs.push({
      runId: typeof workflow.memo?.runId === 'string' ? workflow.memo.runId : workflow.workflowId,
      operation: attribute(searchAttributes.operation) ?? '',
      // A workflow that ended without setting its outcome (terminated, say) ended as Temporal says.
      state: outcome === undefined || (outcome === 'running' && status !== 'running') ? status : outcome,
      startedAt: workflow.startTime.toISOString(),
      endedAt: workflow.closeTime?.toISOString(),
    });
  }
  return runs.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}
