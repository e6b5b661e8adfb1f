/** A host's worker looks at its config targets: by the mapping of the rewriting, or by what is known without it. */
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Azure } from '../../src/azure/azure.ts';
import { UnderstudyError } from '../../src/errors/error.ts';
import { applyConfigs } from '../../src/config-files/targets.ts';
import { openRun, recordStep } from '../../src/run/journal.ts';
import { planFolder, plans } from '../../src/run/plan-document.ts';
import { declaredMapping } from '../../src/switch/config-mapping.ts';
import { hostLooker, type HostLookRequest, type TargetLook } from '../../src/switch/look-at-configs.ts';
import { workspaceId } from '../../src/topology/sides.ts';
import { seal } from '../recovery-point/sealed.ts';
import { makeStage, type Stage } from '../run/step-context.ts';

const account = (name: string) =>
  `/subscriptions/1111/resourceGroups/ml/providers/Microsoft.Storage/storageAccounts/${name}`;
const startedAt = '2026-11-21T10:00:00.000Z';
const signal = new AbortController().signal;
let folder: string;
let stage: Stage;
let request: HostLookRequest;
const path = (name: string): string => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-host-look-'));
  stage = await makeStage();
  const { from, to, topology } = stage.context('look');
  stage.arm.add(workspaceId(to.workspace), { properties: { storageAccount: account('west') } });
  const { id, digest } = await seal(stage.scene.store, startedAt, {
    jobs: [],
    change: (content) => ({
      ...content,
      workspace: { ...content.workspace, ...from.workspace, guid: '' },
      accounts: [{ name: 'east', id: account('east'), endpoint: 'https://east.blob.core.windows.net/', own: true }],
    }),
  });
  request = {
    host: 'train-01',
    targets: [{ host: 'train-01', file: path('config.json') }],
    controlStore: topology.controlStore,
    from: { region: from.region, workspace: from.workspace },
    to: { region: to.region, workspace: to.workspace },
    compute: {},
    recoveryPoint: { id, digest, startedAt },
    deadlineSeconds: 10,
  };
  const { subscriptionId, resourceGroup, name } = from.workspace;
  await writeFile(path('config.json'), JSON.stringify({ subscriptionId, resourceGroup, workspaceName: name }));
  await writeFile(path('storage.json'), '{"store": "https://east.blob.core.windows.net/data"}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const azure = () =>
  ({
    arm: stage.arm,
    blobAccount: () => Promise.resolve({ endpoint: 'https://west.blob.core.windows.net/' }),
  }) as unknown as Azure;

function look(
  change: Partial<HostLookRequest> = {},
  openStore: () => Promise<typeof stage.scene.store> = () => Promise.resolve(stage.scene.store),
): Promise<TargetLook[]> {
  return hostLooker({ azure: azure(), openStore })({ ...request, ...change }, signal);
}

const both = () => ['config.json', 'storage.json'].map((name) => ({ host: 'train-01', file: path(name) }));

it('counts what would be changed in each target, storage addresses too, and changes nothing', async () => {
  const before = await readFile(path('config.json'), 'utf8');
  expect(await look({ targets: both() })).toEqual([
    { host: 'train-01', target: path('config.json'), state: 'ready', files: 1, changes: 2, findings: [] },
    { host: 'train-01', target: path('storage.json'), state: 'ready', files: 1, changes: 1, findings: [] },
  ]);
  expect(await readFile(path('config.json'), 'utf8')).toBe(before);
});

it('says what fails, and looks at the others all the same', async () => {
  await writeFile(path('storage.json'), '{');
  const looks = await look({ targets: [...both(), { host: 'train-01', git: folder, files: ['*'] }] });
  expect(looks.map(({ state }) => state)).toEqual(['ready', 'fails', 'fails']);
  expect(looks[1]?.findings).toMatchObject([{ severity: 'fails', file: path('storage.json'), line: 1 }]);
  expect(looks[2]?.findings).toMatchObject([{ severity: 'fails', file: folder }]);
});

it('warns of a file that two targets have, by whatever path', async () => {
  await symlink(folder, path('link'));
  const looks = await look({
    targets: [
      { host: 'train-01', file: path('config.json') },
      { host: 'train-01', file: path('link/config.json') },
    ],
  });
  expect(looks).toMatchObject([
    { state: 'ready', findings: [] },
    {
      state: 'ready',
      findings: [{ severity: 'warning', found: expect.stringContaining(`"${path('config.json')}" has this file too`) }],
    },
  ]);
});

it('is never green where the control store cannot be read: the names are looked for, and the doubt is told', async () => {
  const refuse = () => Promise.reject(new UnderstudyError('AzureUnavailable', 'GET …: no answer'));
  const looks = await look({ targets: both() }, refuse);
  expect(looks).toMatchObject([
    {
      state: 'unknown',
      changes: 2,
      findings: [{ severity: 'unknown', found: expect.stringMatching(/no answer$/) }],
    },
    { state: 'unknown', changes: 0 },
  ]);
  await writeFile(path('config.json'), '{');
  expect(await look({}, refuse)).toMatchObject([{ state: 'fails' }]);
});

it('does not wait for a control store that hangs', async () => {
  const hang = () => new Promise<never>(() => undefined);
  const looks = await look({ deadlineSeconds: 1 }, hang);
  expect(looks).toMatchObject([{ state: 'unknown', changes: 2 }]);
  expect(looks[0]?.findings[0]?.found).toContain('no answer within 0.4s');
});

it('only warns of a standby that is still to be built', async () => {
  stage.arm.resources.clear();
  const [seen] = await look();
  expect(seen).toMatchObject({ state: 'ready', findings: [{ severity: 'warning' }] });
  expect(seen?.findings[0]?.found).toContain('"fraud-west" in westus3 does not exist');
});

it('tells so many findings, the worst first, and counts the rest', async () => {
  const plain = Array.from(
    { length: 60 },
    (_, index) => `COMMAND_${index}="run fraud-east/x ${workspaceId(request.from.workspace)} now"`,
  );
  await writeFile(path('many.env'), plain.join('\n'));
  const [seen] = await look({ targets: [{ host: 'train-01', file: path('many.env') }] });
  expect(seen).toMatchObject({ state: 'ready', more: 10 });
  expect(seen?.findings).toHaveLength(50);
});

it('tells which files get their original content again, and which were edited since the run', async () => {
  const { store, header, plan } = stage.scene;
  const file = ['config.json', 'storage.json'].map(path);
  const { from, to, compute } = request;
  const mapping = declaredMapping({ from: to, to: from, compute });
  const { subscriptionId, resourceGroup, name } = to.workspace;
  const content = JSON.stringify({ subscriptionId, resourceGroup, workspaceName: name });
  for (const each of file) await writeFile(each, content);
  const { undo } = await applyConfigs({ target: { host: 'train-01', file }, mapping, runId: 'move' });
  await writeFile(path('storage.json'), (await readFile(path('storage.json'), 'utf8')).replace('{', '{ '));
  const step = { ...stage.context('configs-1').step, action: 'rewriteConfigs' as const, host: 'train-01' };
  const digest = await plans.seal(store, planFolder, { ...plan, steps: [step] });
  await openRun(store, { ...header, runId: 'move', plan: digest });
  const startedAt = stage.scene.clock.now().toISOString();
  const record = { step: step.id, state: 'completed' as const, holder: 'wf-1', attempts: 1, startedAt, undo };
  await recordStep(store, 'move', step.id, () => record);
  expect(await look({ targets: both(), backFrom: 'move' })).toMatchObject([
    { state: 'ready', files: 1, restored: 1, findings: [] },
    { state: 'ready', files: 1, findings: [{ severity: 'warning', file: file[1], found: 'edited after run move' }] },
  ]);
});
