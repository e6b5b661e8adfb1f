/** A scoring request to each endpoint of the standby itself, with its own key, before anyone depends on it. */
import { apiVersions } from '../azure/azure.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId } from '../topology/sides.ts';
import { probeUntilPassing } from '../traffic/probe.ts';

export async function scoreEndpoints(context: StepContext): Promise<StepResult> {
  const names = context.step.input.endpoints as string[];
  const answers: string[] = [];
  for (const name of names) answers.push(await scoreOne(context, name));
  return {
    state: 'completed',
    detail: answers.join('; '),
    counts: [{ kind: 'scoring requests', expected: names.length, done: answers.length, skipped: [], failed: [] }],
  };
}

async function scoreOne(context: StepContext, name: string): Promise<string> {
  const { azure, to, signal, topology } = context;
  const path = `${workspaceId(to.workspace)}/onlineEndpoints/${name}`;
  const endpoint = await azure.arm.get(path, apiVersions.machineLearning, { signal });
  const url = endpoint.properties.scoringUri;
  if (typeof url !== 'string') {
    throw new UnderstudyError('NotYetError', `endpoint "${name}" in ${to.region} has no scoring address yet`);
  }
  const answer = await probeUntilPassing(
    context,
    {
      url,
      method: 'POST',
      body: JSON.stringify(topology.scoring[name] ?? defaultRequest),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await keyOf(context, path, endpoint.properties.authMode)}` },
      expect: 200,
    },
    `endpoint ${name}`,
  );
  return `${name}: ${answer.status} in ${answer.milliseconds} ms`;
}

/** What an MLflow model takes; a model of another shape declares its own request (`scoring` in the topology). */
const defaultRequest = { input_data: [] };

async function keyOf({ azure, signal }: StepContext, path: string, authMode: unknown): Promise<string> {
  const action = authMode === 'Key' ? 'listKeys' : 'token';
  const answer = (await azure.arm.post(`${path}/${action}`, apiVersions.machineLearning, undefined, { signal })) as {
    primaryKey?: string;
    accessToken?: string;
  } | null;
  const key = answer?.primaryKey ?? answer?.accessToken;
  if (key === undefined) throw new UnderstudyError('AzureError', `${path}/${action} answered no key`);
  return key;
}
