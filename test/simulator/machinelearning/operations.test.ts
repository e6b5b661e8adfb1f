/**
 * Every operation that Azure publishes for Machine Learning is answered, or refused by its name; the README says which.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { offers, withTable } from '../../../simulator/operations-table.ts';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { published } from '../../../simulator/machinelearning/unoffered.ts';
import { makeWorkspace, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;

beforeAll(async () => {
  azure = await startFixture();
  await makeWorkspace(azure, 'eastus', 'published');
}, 60_000);
afterAll(() => azure?.close());

/** The path of an operation with real names as far as there are any, else one that nothing has. */
function pathOf(template: string): string {
  const names: Record<string, string> = {
    subscriptionId: azure.running.address.subscriptionId,
    resourceGroupName: 'ml-eastus',
    workspaceName: 'published',
    location: 'eastus',
  };
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? 'nosuchthing');
}

describe('the published operations of Machine Learning', () => {
  it('are told in the README as they are', () => {
    const readme = readFileSync(new URL('../../../simulator/README.md', import.meta.url), 'utf8');
    expect(readme, 'run `node simulator/operations-table.ts`').toBe(withTable(readme));
  });

  it('are refused by their names where they are not offered', async () => {
    const refused = published.filter((operation) => !offers(operation));
    expect(refused.length).toBeGreaterThan(0);
    for (const { id, method, path } of refused) {
      const { status, body } = await azure.arm(method, pathOf(path), method === 'GET' ? undefined : {});
      const { code, message, target } = body.error as JsonObject;
      // Two lists share the shape of their answer, and are told apart by their scope alone.
      expect([id, status, code, target]).toEqual([id, 501, 'NotImplemented', id]);
      expect(message).toContain(`'${id}'`);
    }
  });

  it('are known where they are offered: refused, if at all, for what is asked', async () => {
    const unknown: unknown[] = [];
    for (const operation of published.filter(offers)) {
      const { id, method, path } = operation;
      // What is deleted or put here is below a workspace, and never the workspace itself.
      if (/^Workspaces_(Delete|CreateOrUpdate|Update)$/.test(id)) continue;
      const { status, body } = await azure.arm(method, pathOf(path), method === 'GET' ? undefined : {});
      const code = (body.error as { code: string } | undefined)?.code ?? '';
      if (status >= 500 || ['InvalidResourceType', 'InvalidResourceAction', 'MethodNotAllowed'].includes(code))
        unknown.push([id, status, code]);
    }
    expect(unknown).toEqual([]);
  });

  it('do not hide what no one publishes', async () => {
    const path = `${azure.group('eastus')}/providers/Microsoft.MachineLearningServices/workspaces/published/dreams`;
    const { status, body } = await azure.arm('GET', path);
    expect([status, (body.error as JsonObject).code]).toEqual([404, 'InvalidResourceType']);
  });
});
