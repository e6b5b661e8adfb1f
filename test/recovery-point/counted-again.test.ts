/** Counts are of what is there afterwards: an answer that says "done" is not yet a thing that is done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureConnections } from '../../src/secrets/configure-connections.ts';
import { configureDatastores } from '../../src/secrets/configure-datastores.ts';
import { leftBehindUncounted } from '../../src/recovery-point/drafts.ts';
import { escrowSecrets } from '../../src/secrets/escrow-secrets.ts';
import { listActive } from '../../src/inventory/list-active.ts';
import type { SecretRef } from '../../src/recovery-point/manifest.ts';
import { openRecoveryPoint } from '../../src/recovery-point/recovery-point.ts';
import { apiVersions, type Azure, type Vault } from '../../src/azure/azure.ts';
import { answerError } from '../../src/azure/errors.ts';
import type { RecoveryPointRef } from '../../src/plan/plan.ts';
import type { Action } from '../../src/run/work/step-context.ts';
import { artifacts, canary, fill } from './filled.ts';
import { replicate, startScene, type Scene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
  await fill(scene);
}, 120_000);

afterAll(() => scene?.close());

/** The action on an Azure of which some parts answer otherwise. */
function on(action: Action, changed: (azure: Azure) => Partial<Azure>): Action {
  return (context) => {
    const azure = Object.assign(Object.create(context.azure) as Azure, changed(context.azure));
    return action({ ...context, azure });
  };
}

const vaultThat = (change: (vault: Vault) => Partial<Vault>) => (azure: Azure) => ({
  vault: (uri: string) => {
    const vault = azure.vault(uri);
    return { get: (name: string) => vault.get(name), set: vault.set.bind(vault), ...change(vault) };
  },
});

describe('secrets', () => {
  const forgets = (_vault: Vault): Partial<Vault> => ({ set: () => Promise.resolve({ version: '1' }) });
  const garbles = (vault: Vault): Partial<Vault> => ({
    set: (name, value, tags) => vault.set(name, `${value} `, tags),
  });

  it.each([
    ['forgets what it was given', forgets, 'the vault does not have it'],
    ['holds something else', garbles, 'the vault has another value'],
  ])('a vault that %s is found out', async (_what, change, reason) => {
    const run = scene.run({ topology: { artifacts } });
    await run.step('list', 'listActive', listActive);
    const result = await run.step('escrow', 'escrowSecrets', on(escrowSecrets, vaultThat(change)));
    expect(result.counts?.[0]).toMatchObject({ done: 0, failed: [{ reason, count: 3 }] });
    expect(result.lost?.join('\n')).toContain(reason);
  });
});

describe('a recovery point', () => {
  it('says which references are to nothing, for every restore from it to repeat', async () => {
    const paths = [...artifacts.paths, { datastore: 'workspaceblobstore', path: 'void' }];
    const { ref } = await replicate(scene.run({ topology: { artifacts: { ...artifacts, paths } } }));
    const { sealed } = await openRecoveryPoint(scene.store, ref.id);
    expect(leftBehindUncounted(sealed.leftBehind)).toContainEqual(
      expect.stringMatching(/^1 reference left behind: to nothing \(paths\/workspaceblobstore\/void: nothing at /),
    );
  });
});

describe('datastores', () => {
  it('that the standby does not list are not counted as made', async () => {
    const { ref } = await replicate(scene.run({ topology: { artifacts } }));
    expect((await openRecoveryPoint(scene.store, ref.id)).sealed.secrets).toHaveLength(3);
    const failover = scene.run({ operation: 'failover', recoveryPoint: ref, topology: { artifacts } });
    const forgetful = (azure: Azure) => {
      const { arm } = azure;
      const put: typeof arm.put = (path, version, body, options) =>
        path.includes('/datastores/lake')
          ? Promise.resolve({ id: path, name: 'lake', type: '', properties: {} })
          : arm.put(path, version, body, options);
      return { arm: Object.assign(Object.create(arm) as typeof arm, { put }) };
    };
    const result = await failover.step('datastores', 'configureDatastores', on(configureDatastores, forgetful));
    expect(result.counts).toEqual([
      {
        kind: 'datastores',
        expected: 3,
        done: 2,
        skipped: [],
        failed: [{ reason: 'it was made, and the standby does not list it', count: 1 }],
      },
    ]);
    expect(result.lost?.join('\n')).toContain('lake');
  });
});

describe('a secret in escrow', () => {
  let ref: RecoveryPointRef;
  let secrets: readonly SecretRef[];
  const nameOf = (wanted: SecretRef['kind']) => secrets.find(({ kind }) => kind === wanted)?.name ?? '';
  const answers = (wanted: SecretRef['kind'], answer: () => Promise<string>) =>
    vaultThat((vault) => {
      const secret = secrets.find(({ kind }) => kind === wanted)?.secret;
      return { get: (name) => (name === secret ? answer() : vault.get(name)) };
    });
  /** As Key Vault answers where a secret is disabled. */
  const refuse = () => Promise.reject(answerError('GET secret', { status: 403, headers: { get: () => undefined } }));
  const failover = () => scene.run({ operation: 'failover', recoveryPoint: ref, epoch: 2, topology: { artifacts } });

  beforeAll(async () => {
    ({ ref } = await replicate(scene.run({ topology: { artifacts } })));
    ({ secrets } = (await openRecoveryPoint(scene.store, ref.id)).sealed);
  });

  it('that the vault refuses costs its datastore, and no other', async () => {
    const path = `${scene.west}/datastores/${nameOf('datastore')}`;
    await scene.azure.arm.remove(path, apiVersions.machineLearning);
    const work = on(configureDatastores, answers('datastore', refuse));
    const result = await failover().step('datastores', 'configureDatastores', work);
    expect(result.counts?.[0]).toMatchObject({ expected: 3, done: 2, failed: [{ count: 1 }] });
    expect(result.lost).toEqual([`datastore ${nameOf('datastore')}: GET secret: (HTTP 403)`]);
  });

  it('that the vault refuses costs its connection, and no other', async () => {
    const work = on(configureConnections, answers('connection', refuse));
    const result = await failover().step('connections', 'configureConnections', work);
    expect(result.counts?.[0]).toMatchObject({ failed: [{ count: 1 }] });
    expect(result.lost).toEqual([`connection ${nameOf('connection')}: GET secret: (HTTP 403)`]);
  });

  it('that is not what was put there is not quoted', async () => {
    const spoilt = answers('connection', () => Promise.resolve(`${canary}-pat`));
    const work = on(configureConnections, spoilt);
    const result = await failover().step('connections', 'configureConnections', work);
    expect(result.lost?.join()).toContain('is not what was put into it');
    expect(JSON.stringify(result)).not.toContain(canary);
  });
});
