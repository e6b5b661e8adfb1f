/** A whole failover of the example's workspace, with further blobs and jobs in it, and what Temporal keeps of it. */
import { Client, Connection } from '@temporalio/client';
import type { Stack } from '../../src/stack/stack.ts';
import { goDark, onExampleStack, type Further } from '../example-stack.ts';

export interface History {
  events: number;
  bytes: number;
}

export interface Moved {
  replicate: History;
  failover: History;
  /** As the report of the failover has them: kind → expected. */
  counts: Record<string, number>;
}

/** `folder` is made, and all of it is the stack's and the commands'. */
export async function moveWorkspace(folder: string, further: Further): Promise<Moved> {
  return onExampleStack(folder, { further }, async ({ stack, understudy }) => {
    await understudy('replicate', '--reason', 'a benchmark');
    await goDark(stack);
    await understudy('failover', '--to', 'westus3', '--yes', '--reason', 'a benchmark');
    const runs = JSON.parse(await understudy('runs', '--output', 'json')) as {
      runId: string;
      operation: string;
    }[];
    const { runId = '' } = runs.find(({ operation }) => operation === 'failover') ?? {};
    const report = JSON.parse(await understudy('report', runId, '--output', 'json')) as Report;
    if (report.run.state !== 'completed') throw new Error(`the failover is ${report.run.state}`);
    return { ...(await histories(stack)), counts: countsOf(report) };
  });
}

interface Report {
  run: { state: string };
  counts: { kind: string; expected: number }[];
}

function countsOf({ counts }: Report): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { kind, expected } of counts) sums.set(kind, Math.max(expected, sums.get(kind) ?? 0));
  return Object.fromEntries(sums);
}

async function histories({ temporal }: Stack): Promise<Pick<Moved, 'replicate' | 'failover'>> {
  if (!temporal) throw new Error('the stack has no Temporal');
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const client = new Client({ connection });
    return {
      replicate: await historyOf(client, 'understudy-fraud-ml-replicate'),
      failover: await historyOf(client, 'understudy-fraud-ml-move'),
    };
  } finally {
    await connection.close();
  }
}

/** Of all executions of a workflow: one that continued as new has several. */
async function historyOf(client: Client, workflowId: string): Promise<History> {
  const history = { events: 0, bytes: 0 };
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = "${workflowId}"` })) {
    const { historyLength, historySize } = await client.workflow.getHandle(workflowId, runId).describe();
    history.events += historyLength;
    history.bytes += historySize ?? 0;
  }
  if (history.events === 0) throw new Error(`Temporal has no history of "${workflowId}"`);
  return history;
}
