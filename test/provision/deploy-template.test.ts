import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { deployTemplate } from '../../src/provision/deploy-template.ts';
import type { StepContext } from '../../src/run/step-context.ts';

/** A deployment that ends when `done` says so, or when its waiting is broken off, as the SDK's poller does. */
function contextWith(
  done: Promise<unknown>,
  provisionDeadline: string,
  signal = new AbortController().signal,
) {
  const deployed: { name: string; properties: unknown }[] = [];
  const context = {
    azure: {
      arm: { find: async () => ({ id: 'the workspace' }) },
      resources: () => ({ resourceGroups: { createOrUpdate: async () => ({}) } }),
      deployments: () => ({
        deployments: {
          createOrUpdate(_group: string, name: string, { properties }: { properties: unknown }) {
            deployed.push({ name, properties });
            return {
              onProgress() {},
              pollUntilDone: ({ abortSignal }: { abortSignal: AbortSignal }) =>
                Promise.race([
                  done,
                  new Promise((_, reject) => {
                    abortSignal.addEventListener('abort', () => reject(abortSignal.reason as Error));
                  }),
                ]),
            };
          },
        },
      }),
    },
    bundle: {
      templates: { westus3: { source: 'workspace.bicep', template: { resources: [] }, parameters: {} } },
    },
    run: { runId: '20261121T030000Z-failover-3f9a' },
    to: { region: 'westus3', workspace: { subscriptionId: 's', resourceGroup: 'ml-west', name: 'west' } },
    topology: { policies: { provisionDeadline } },
    now: () => new Date(),
    signal,
  };
  return { context: context as unknown as StepContext, deployed };
}

test('deploys under a name of the run, so that twice is once', async () => {
  const { context, deployed } = contextWith(Promise.resolve(), '1h');
  const { state, detail } = await deployTemplate(context);
  expect(state).toBe('completed');
  expect(detail).toContain('deployed workspace.bicep');
  expect(deployed).toEqual([
    {
      name: 'understudy-20261121T030000Z-failover-3f9a',
      properties: { mode: 'Incremental', template: { resources: [] }, parameters: {} },
    },
  ]);
});

test('a deployment that takes longer than the policy fails the step, and says what to do', async () => {
  const { context } = contextWith(new Promise(() => {}), '1s');
  await expect(deployTemplate(context)).rejects.toMatchObject({
    code: 'PreconditionError',
    message: expect.stringMatching(/deploying workspace\.bicep .* "ml-west": not done within 1s$/),
    details: { next: expect.stringContaining('resume-run 20261121T030000Z-failover-3f9a') },
  });
});

test('a cancelled step is no late one', async () => {
  const cancelled = new AbortController();
  const { context } = contextWith(new Promise(() => {}), '1h', cancelled.signal);
  const deploying = deployTemplate(context);
  const refused = expect(deploying).rejects.not.toMatchObject({ code: 'PreconditionError' });
  await delay(0);
  cancelled.abort();
  await refused;
});
