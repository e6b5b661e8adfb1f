/** The local Azure alone, for those who want nothing else. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stackDown, stackUp } from '../../src/stack/stack.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'understudy-azure-only-'));
});
afterEach(async () => {
  await stackDown(home);
  await rm(home, { recursive: true, force: true });
});

it('starts without Temporal, in the regions asked for, and says what it does not heed later', async () => {
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const cloudArguments = ['--regions', 'northeurope,westeurope'];
  const stack = await stackUp({ folder: home, say, azureOnly: true, cloudArguments });
  expect(stack.temporal).toBeUndefined();
  expect(stack.processes.map(({ name }) => name)).toEqual(['azure']);
  expect(await readdir(home)).not.toContain('temporal.db');
  const environment = await readFile(join(home, 'env'), 'utf8');
  expect(environment).toContain(`export AZURE_RESOURCE_MANAGER_ENDPOINT="${stack.cloud.arm}"`);
  expect(environment).not.toContain('TEMPORAL_ADDRESS');
  // For az and azure-ai-ml all of that, a configuration of their own, and the way to names below "localhost".
  const ofClients = await readFile(join(home, 'clients.env'), 'utf8');
  expect(ofClients.startsWith(environment)).toBe(true);
  expect(ofClients.slice(environment.length)).toBe(
    `export AZURE_CONFIG_DIR="${join(home, 'az')}"\nunset https_proxy NO_PROXY no_proxy\nexport HTTPS_PROXY="${stack.cloud.proxy}"\n`,
  );
  const state = await (await fetch(`${stack.cloud.admin}/state`)).json();
  expect(Object.keys((state as { regions: object }).regions)).toEqual(['northeurope', 'westeurope']);

  const again = await stackUp({ folder: home, say, azureOnly: true, cloudArguments: ['--pace', '3'] });
  expect(again.processes).toEqual(stack.processes);
  expect(again.cloud.arm).toBe(stack.cloud.arm);
  expect(said.at(-1)).toBe(`the stack runs already (${home}); --pace 3 waits for the next start`);
}, 60_000);

it('says what is wrong with what it was asked for, and leaves nothing running', async () => {
  const cloudArguments = ['--regions', 'eastus,global'];
  const say = () => undefined;
  await expect(stackUp({ folder: home, say, azureOnly: true, cloudArguments })).rejects.toThrow(
    /the local Azure did not start: regions: expected names of letters and digits.*got "global"/,
  );
  expect((await stackDown(home)).ended).toBe(false);
}, 60_000);
