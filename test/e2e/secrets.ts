/** Canary secrets, and every place where one might have been left. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scene } from './harness.ts';
import { readControlStore } from './judge.ts';
import { canaries } from './set-up.ts';

/** Secrets by what they are. Read while both regions answer. */
export async function secretsOf(scene: Scene): Promise<Map<string, string>> {
  const { azure, cloud } = scene;
  const secrets = new Map([
    ["the feed's token", canaries.feedToken],
    ["the person's client secret", cloud.clientSecret],
    ["the worker's client secret", scene.workerSecret],
  ]);
  for (const region of ['east', 'west']) {
    const workspace = azure.workspace(`ml-${region}`, `fraud-${region}`);
    const { primaryKey, secondaryKey } = await azure.post(`${workspace}/onlineEndpoints/fraud-score/listKeys`);
    secrets.set(`primary key of the endpoint in ${region}`, String(primaryKey));
    secrets.set(`secondary key of the endpoint in ${region}`, String(secondaryKey));
    const { properties } = await azure.get(workspace);
    for (const [index, key] of (await azure.keysOf(String(properties.storageAccount))).entries())
      secrets.set(`key ${index + 1} of the storage in ${region}`, key);
  }
  for (const [index, key] of (await azure.keysOf(azure.controlStore())).entries())
    secrets.set(`key ${index + 1} of the control store`, key);
  for (const [what, value] of secrets) if (value.length < 16) throw new Error(`${what} is no secret to look for`);
  return secrets;
}

/**
 * All that the product has left anywhere, by where: what its processes wrote, the control store, Temporal's histories
 * decoded.
 */
export async function tracesOf(scene: Scene): Promise<Map<string, string>> {
  const traces = new Map<string, string>();
  for (const name of ['worker', 'cli', 'train-01']) {
    for (const file of await filesBelow(join(scene.folder, name))) traces.set(file, await readFile(file, 'latin1'));
  }
  for (const name of ['worker.log', 'cli.log', 'train-01.log', join('stack', 'temporal.db')]) {
    traces.set(name, await readFile(join(scene.folder, name), 'latin1'));
  }
  for (const [name, text] of await readControlStore(scene)) traces.set(`control store: ${name}`, text);
  for await (const workflow of scene.client.workflow.list()) {
    const handle = scene.client.workflow.getHandle(workflow.workflowId, workflow.runId);
    traces.set(
      `history of ${workflow.workflowId} ${workflow.runId}`,
      JSON.stringify(decoded(await handle.fetchHistory())),
    );
  }
  traces.set('heartbeats', [...scene.heartbeats].join('\n'));
  return traces;
}

/** Payloads as text, however deep they are. */
function decoded(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decoded(each)]));
}

/** Which secret is where; signatures of SAS too. Values are not repeated. */
export function leaks(secrets: Map<string, string>, traces: Map<string, string>): string[] {
  const found: string[] = [];
  for (const [where, text] of traces) {
    for (const [what, value] of secrets) {
      if ([value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)].some((form) => text.includes(form)))
        found.push(`${what} in ${where}`);
    }
    if (/[?&]sig=[\w%+/-]{16}/.test(text)) found.push(`a signature in ${where}`);
  }
  return found;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
