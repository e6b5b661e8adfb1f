/** A local Azure for Azure's clients of Python: a workspace, and the environment in which a client finds everything. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeWorkspace, startFixture, type Fixture } from '../machinelearning/fixture.ts';

export interface PythonCloud {
  fixture: Fixture;
  workspaceId: string;
  /** A folder for the files of the test. */
  folder: string;
  /** Runs a program with the cloud in its environment; answers its stdout. Throws with all it wrote if it fails. */
  run(program: string, args: string[], more?: NodeJS.ProcessEnv): Promise<string>;
  close(): Promise<void>;
}

/** Operations take several polls, but no Python client waits for long: it takes `Retry-After: 0` for half a minute. */
export async function startPythonCloud(): Promise<PythonCloud> {
  const fixture = await startFixture({ retryAfterSeconds: 1, speed: 5, tokenSeconds: 900 });
  const folder = mkdtempSync(join(tmpdir(), 'local-azure-clients-'));
  const workspaceId = await makeWorkspace(fixture, 'eastus', 'people');
  return {
    fixture,
    workspaceId,
    folder,
    run: (program, args, more) => run(program, args, { ...environmentOf(fixture, folder), ...more }, folder),
    async close() {
      await fixture.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function environmentOf({ running: { address } }: Fixture, folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/proxy/i.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: folder,
    HTTPS_PROXY: address.proxy,
    REQUESTS_CA_BUNDLE: address.ca,
    AZURE_TENANT_ID: address.tenantId,
    AZURE_CLIENT_ID: address.clientId,
    AZURE_CLIENT_SECRET: address.clientSecret,
    AZURE_SUBSCRIPTION_ID: address.subscriptionId,
    AZURE_AUTHORITY_HOST: address.authority,
    AZURE_CONFIG_DIR: join(folder, 'azure'),
    AZURE_CORE_COLLECT_TELEMETRY: 'no',
    AZURE_CORE_INSTANCE_DISCOVERY: 'false',
    AZURE_CORE_NO_COLOR: '1',
    AZURE_EXTENSION_USE_DYNAMIC_INSTALL: 'no',
    AZUREML_RUN_POLLING_INTERVAL_MIN: '1',
  };
}

function run(program: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code}:\n${output}\n${errors}`));
    });
  });
}
