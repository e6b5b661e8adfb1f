/**
 * docs/your-subscription.md: each of its commands, in its order, by Azure's own command line; then nothing is left of
 * it.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudEnvironment } from '../../src/stack/state.ts';
import { environmentOf, stackDown, stackUp, type Stack } from '../../src/stack/stack.ts';
import { findClient } from '../simulator/clients/find-clients.ts';
import { AzureReader, type Resource } from './azure-reader.ts';
import { root } from './set-up.ts';

const az = findClient('az');
const guide = await readFile(join(root, 'docs', 'your-subscription.md'), 'utf8');
const blocks = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);

/** What the local Azure has no people for, and the clone that this is: what stands for them here. */
const standIns: [RegExp, string][] = [
  [/^git clone .*\nalias .*\n/, ''],
  [/^az login$/m, 'az login --service-principal -u "$OWNER" -p "$OWNER_SECRET" --tenant "$TENANT" --output none'],
  [/^az ad sp create-for-rbac .*\n/, ''],
  [/\$\(az ad sp list .*\)/, '$WORKER_OBJECT'],
  [/^az ad app delete .*\n?/m, ''],
  [
    /^understudy worker$/m,
    // By `exec`, so that the pid is the worker's, and not that of a shell around it.
    '(AZURE_CLIENT_ID=$WORKER_ID AZURE_CLIENT_SECRET=$WORKER_SECRET exec $PROGRAM worker) > worker.log 2>&1 &\n' +
      'echo $! > worker.pid\n' +
      'for _ in $(seq 60); do ! grep -q ready worker.log || break; sleep 1; done',
  ],
];

describe.skipIf(az === undefined)('docs/your-subscription.md', () => {
  let folder: string;
  let stack: Stack;
  let azure: AzureReader;
  let before: Resource[];
  let output = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-guide-'));
    const cloudArguments = ['--pace', '0.1', '--speed', '4', '--token-seconds', '1200'];
    stack = await stackUp({ folder: join(folder, 'stack'), say: () => undefined, cloudArguments });
    azure = await AzureReader.open(stack.cloud);
    await makeActiveWorkspace();
    before = await resourcesOf('ml-east');
    output = await typed(blocks.map(standIn).join('\n'));
  });
  afterAll(async () => {
    if (stack) await stackDown(join(folder, 'stack'));
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('stands in for what a person does, and for nothing else', () => {
    for (const [pattern] of standIns) expect(blocks.filter((block) => pattern.test(block))).toHaveLength(1);
  });

  it('comes to a recovery point, and to a plan that could be carried out', () => {
    expect(output).toMatch(/^recovery +\S+-e1: .* old/m);
    expect(output).toMatch(/^fence$/m);
    expect(output).toMatch(/writer\s+eastus/);
  });

  it('takes all of it away again', async () => {
    const subscription = `/subscriptions/${stack.cloud.subscriptionId}`;
    const groups = await azure.list(`${subscription}/resourcegroups`, '2024-03-01');
    expect(groups.map(({ name }) => name).toSorted()).toEqual(['ml-east', 'ml-west']);
    const authorization = `${subscription}/providers/Microsoft.Authorization`;
    const assignments = await azure.list(`${authorization}/roleAssignments`, '2022-04-01');
    expect(assignments.filter(({ properties }) => properties.principalId === worker.objectId)).toEqual([]);
    const roles = await azure.list(`${authorization}/roleDefinitions?$filter=type eq 'CustomRole'`, '2022-04-01');
    expect(roles).toEqual([]);
    const account = `${subscription}/resourceGroups/ml-west/providers/Microsoft.Storage/storageAccounts/fraudwest`;
    const containers: string[] = [];
    for await (const { name } of (await azure.blobs(account)).listContainers()) containers.push(name);
    expect(containers.length).toBeGreaterThan(0);
    expect(containers).not.toContain('understudy-replica');
    expect(await resourcesOf('ml-east')).toEqual(before);
  });

  let worker: { clientId: string; clientSecret: string; objectId: string };

  async function makeActiveWorkspace(): Promise<void> {
    const answer = await fetch(`${stack.cloud.admin}/principals`, {
      method: 'POST',
      body: JSON.stringify({ displayName: 'understudy-workers' }),
    });
    worker = (await answer.json()) as typeof worker;
    await typed(`
      ${standIn('az login')}
      az group create --name ml-east --location eastus
      az deployment group create --name before --resource-group ml-east --template-file templates/workspace.json \\
        --parameters workspaceName=fraud-east storageAccountName=fraudeast keyVaultName=fraud-east-kv \\
        applicationInsightsName=fraud-east-insights logAnalyticsName=fraud-east-logs`);
  }

  async function resourcesOf(group: string): Promise<Resource[]> {
    const path = `/subscriptions/${stack.cloud.subscriptionId}/resourceGroups/${group}/resources`;
    return azure.list(path, '2024-03-01');
  }

  /** Runs the lines as a person would type them, in a folder of their own; returns all that was printed. */
  async function typed(lines: string): Promise<string> {
    const { cloud } = stack;
    const script = `set -euo pipefail
      shopt -s expand_aliases
      trap '[ ! -f worker.pid ] || kill $(cat worker.pid) 2>/dev/null || true' EXIT
      az() { HTTPS_PROXY=$PROXY ${az?.program} "$@"; }
      understudy() { $PROGRAM "$@"; }
      az cloud register --name Local --endpoint-resource-manager "$AZURE_RESOURCE_MANAGER_ENDPOINT" 2>/dev/null || true
      az cloud set --name Local
      ln -sfn '${join(root, 'templates')}' templates
      ${lines.replaceAll(/^ {6}/gm, '')}`;
    await writeFile(join(folder, 'typed.sh'), script);
    return run('bash', [join(folder, 'typed.sh')], {
      ...environmentOf(stack),
      ...cloudEnvironment(cloud),
      PATH: process.env.PATH ?? '',
      HOME: folder,
      NO_COLOR: '1',
      CI: 'true',
      AZURE_CONFIG_DIR: join(folder, 'az'),
      AZURE_CORE_COLLECT_TELEMETRY: 'no',
      AZURE_CORE_ONLY_SHOW_ERRORS: 'true',
      AZURE_EXTENSION_USE_DYNAMIC_INSTALL: 'no',
      PROGRAM: join(root, 'bin', 'understudy.mjs'),
      PROXY: cloud.proxy ?? '',
      OWNER: cloud.clientId,
      OWNER_SECRET: cloud.clientSecret,
      TENANT: cloud.tenantId,
      WORKER_ID: worker.clientId,
      WORKER_SECRET: worker.clientSecret,
      WORKER_OBJECT: worker.objectId,
    });
  }

  function run(program: string, args: string[], env: Record<string, string>): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      let all = '';
      const take = (chunk: Buffer) => (all += chunk.toString());
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.on('error', reject);
      child.on('close', (code) =>
        code === 0 ? resolve(all) : reject(new Error(`${dirname(program)} ended with ${code}:\n${all}`)),
      );
    });
  }
});

function standIn(block: string): string {
  return standIns.reduce((text, [pattern, by]) => text.replace(pattern, () => by), block);
}
