/**
 * Assets as strangers have them: every way of naming a thing, archived ones, many versions, text that only looks like a
 * reference.
 */
import type { JsonObject } from '../../../simulator/contract/index.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** More than the topology carries. */
export const manyVersions = 65;
export const versionsCarried = 60;

/**
 * References whose counterpart in the standby follows from no rule of spelling: the reference, and what must stand
 * there.
 */
export type Special = Map<string, string>;

export async function writeAssets(world: World, random: Random): Promise<Special> {
  const special: Special = new Map();
  const add = (path: string, properties: JsonObject) => world.put(`${world.east.id}/${path}`, { properties });
  await codesAndEnvironments(world, random, add);
  await data(world, random, add);
  await models(world, random, add, special);
  await components(world, random, add);
  return special;
}

type Add = (path: string, properties: JsonObject) => Promise<unknown>;

/** As Azure's own client spells it. */
export function longUri({ east, subscriptionId }: World, datastore: string, path: string): string {
  const group = east.group.split('/').at(-1);
  return `azureml://subscriptions/${subscriptionId}/resourcegroups/${group}/workspaces/${east.name}/datastores/${datastore}/paths/${path}`;
}

/** Text for people that has references in it, or is one as a whole: it says what it says. */
function prose(world: World, random: Random): JsonObject {
  const { east } = world;
  return {
    description: `See ${east.id}/models/m/versions/1 — ${random.word()}\nand ${longUri(world, 'workspaceblobstore', 'x')}`,
    tags: {
      'Größe 大': random.word(),
      origin: `${east.id}/jobs/${random.word().replaceAll(/[^\w]/g, 'x')}`,
      'azureml:m:1': 'azureml:nowhere:99',
      account: `${east.account.endpoint}${east.container}/x`,
      key: 'a tag of this name is no secret',
      empty: '',
    },
    properties: {
      note: `made in ${east.id}, ${random.word()}`,
      source: `${east.id}/jobs/gone-long-ago`,
      'mlflow.modelSourceUri': 'runs:/11111111-2222-3333-4444-555555555555/model',
    },
  };
}

async function codesAndEnvironments(world: World, random: Random, add: Add): Promise<void> {
  const { east } = world;
  const url = `${east.account.endpoint}${east.container}`;
  await add('codes/train-src/versions/1', {
    codeUri: `${url}/LocalUpload/abc/code`,
    properties: { hash_sha256: 'abc', hash_version: '202208' },
  });
  await add('codes/spaces/versions/1', { codeUri: `${url}/LocalUpload/with%20space/code/` });
  await add('codes/Code.Of-Git_1/versions/2026-01-01', {
    codeUri: 'git+https://github.com/example/repo.git@main#subdirectory=src',
  });
  const { description, tags } = prose(world, random);
  await add('environments/sklearn', { description: description ?? null, tags: tags ?? {} });
  for (const version of ['1', '2', '3', '10']) {
    await add(`environments/sklearn/versions/${version}`, {
      image: `mcr.microsoft.com/azureml/base:${version}`,
      condaFile: `name: x\ndependencies:\n  - python=3.${version}\n  # ${east.id}\n`,
      ...prose(world, random),
    });
  }
  await add('environments/built/versions/1', {
    build: { contextUri: `${url}/context/one/`, dockerfilePath: 'Dockerfile' },
    osType: 'Linux',
    inferenceConfig: { scoringRoute: { path: '/score', port: 5001 } },
  });
  await add('environments/Old.Env_Archived-1/versions/1', { image: 'x/y:1', isArchived: true });
  await add('environments/Old.Env_Archived-1', { description: 'put away', isArchived: true });
  await add('environments/CliV2Anon/versions/3f2a', { image: 'x/y:2', isAnonymous: true });
}

async function data(world: World, random: Random, add: Add): Promise<void> {
  const { east, other, subscriptionId } = world;
  const store = 'azureml://datastores/workspaceblobstore/paths';
  const folder = (dataUri: string, more: JsonObject = {}) => ({ dataType: 'uri_folder', dataUri, ...more });
  await add('data/big/versions/1', folder(longUri(world, 'workspaceblobstore', 'data/big/'), prose(world, random)));
  await add(
    'data/big-shouting/versions/1',
    folder(longUri(world, 'workspaceblobstore', 'data/big').replace(east.name, east.name.toUpperCase())),
  );
  await add('data/big-arm/versions/1', folder(`${store}/data/big/`));
  await add('data/odd/versions/v1.0', folder(`${store}/data/odd`));
  await add('data/hns/versions/1', folder(`${store}/data/hns/`));
  await add('data/large/versions/1', folder(`${store}/data/large`));
  await add('data/nested-a/versions/1', folder(`${store}/data/nested/a`));
  await add('data/nested-ab/versions/1', folder(`${store}/data/nested/a/b/`));
  await add('data/missing/versions/1', folder(`${store}/data/there/is/nothing/here/`));
  await add('data/lake/versions/1', folder('azureml://datastores/third_lake/paths/lake/'));
  await add('data/partners/versions/1', folder('azureml://datastores/partner/paths/p'));
  await add(
    'data/theirs/versions/1',
    folder(
      `azureml://subscriptions/${subscriptionId}/resourcegroups/${other.group.split('/').at(-1)}/workspaces/${other.name}/datastores/workspaceblobstore/paths/theirs/`,
    ),
  );
  await add('data/public/versions/1', {
    dataType: 'uri_file',
    dataUri: 'https://azuremlexamples.blob.core.windows.net/datasets/iris.csv?x=1',
  });
  await add('data/single/versions/1', { dataType: 'uri_file', dataUri: `${store}/data/single file.csv` });
  await add('data/single/versions/2', { dataType: 'uri_file', dataUri: `${store}/data/empty.csv` });
  await add('data/per-cent/versions/1', {
    dataType: 'uri_file',
    dataUri: `${store}/data/odd/per%20cent.csv`,
  });
  await add('data/by-url/versions/1', {
    dataType: 'uri_file',
    dataUri: `${east.account.endpoint}${east.container}/data/odd/with%20space.csv`,
  });
  await add('data/table/versions/1', {
    dataType: 'mltable',
    dataUri: `${store}/data/table`,
    referencedUris: [
      `${store}/data/big/`,
      longUri(world, 'workspaceblobstore', 'data/odd/a/b'),
      'https://example.org/public.csv',
    ],
  });
  await add('data/Name.With-dots_AND-case', {
    dataType: 'uri_folder',
    description: random.word(),
    tags: { a: 'b' },
  });
  await add(
    'data/Name.With-dots_AND-case/versions/2026.11.21-rc.1',
    folder(`${store}/data/nested`, { isArchived: true }),
  );
  await add('data/from-job/versions/1', folder('azureml://jobs/train-done/outputs/model/paths/'));
}

async function models(world: World, random: Random, add: Add, special: Special): Promise<void> {
  const { east, west, subscriptionId } = world;
  const store = 'azureml://datastores/workspaceblobstore/paths';
  const there = (datastore: string, path: string) =>
    `azureml://subscriptions/${subscriptionId}/resourcegroups/${west.group.split('/').at(-1)}/workspaces/${west.name}/datastores/${datastore}/paths/${path}`;
  for (let version = 1; version <= manyVersions; version++) {
    await add(`models/many/versions/${version}`, {
      modelType: 'custom_model',
      modelUri: `${store}/models/m/${1 + (version % 3)}`,
      properties: { number: String(version) },
    });
  }
  await add('models/m', { description: 'a model', tags: { team: 'risk' } });
  await add('models/m/versions/1', {
    modelType: 'mlflow_model',
    modelUri: longUri(world, 'workspaceblobstore', 'models/m/1'),
    flavors: { python_function: { data: { loader_module: 'mlflow.sklearn', env: 'conda.yaml' } } },
    stage: 'Production',
    jobName: 'train-done',
    ...prose(world, random),
  });
  await add('models/m/versions/2', {
    modelType: 'custom_model',
    modelUri: `${store}/models/m/2/`,
    isArchived: true,
  });
  await add('models/by-url/versions/1', { modelUri: `${east.account.endpoint}${east.container}/models/m/3` });
  const output = 'azureml://jobs/train-done/outputs/model/paths/';
  await add('models/from-job/versions/1', { modelType: 'mlflow_model', modelUri: output });
  special.set('azureml://jobs/train-done/outputs/model', there('workspaceblobstore', 'azureml/train-done/model'));
  special.set(output, there('workspaceblobstore', 'azureml/train-done/model'));
  await add('models/from-run/versions/1', { modelType: 'mlflow_model', modelUri: 'runs:/train-done/model' });
  special.set('runs:/train-done/model', there('workspaceartifactstore', 'ExperimentRun/dcid.train-done/model'));
  await add('models/Nothing.Yet', { description: 'a name without a version', tags: { reserved: 'yes' } });
  await add('models/Archived.Model', { isArchived: true });
  await add('models/Archived.Model/versions/1', { modelUri: `${store}/models/m/1`, isArchived: true });
}

/** Named so that what is made of others comes first in every list. */
async function components(world: World, random: Random, add: Add): Promise<void> {
  const { east } = world;
  const shouting = east.id.replace('/resourceGroups/', '/resourcegroups/').replace(east.name, east.name.toUpperCase());
  const spec = (name: string, version: string, more: JsonObject) => ({
    componentSpec: {
      $schema: 'https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json',
      name,
      version,
      display_name: `${east.id}/components/${name}`,
      description: random.word(),
      tags: { from: `${east.id}/jobs/some-job` },
      is_deterministic: true,
      ...more,
    },
    ...prose(world, random),
  });
  const command = (environment: string, code: string) => ({
    type: 'command',
    command: `python train.py --ws ${east.name} --data \${{inputs.data}}`,
    environment,
    code,
    inputs: {
      data: { type: 'uri_folder', default: 'azureml://datastores/workspaceblobstore/paths/data/big/' },
      rate: { type: 'number', default: '0.1', min: '0' },
    },
    outputs: { model: { type: 'mlflow_model' } },
    resources: { instance_count: 1 },
  });
  await add(
    'components/z_train/versions/1.0.0',
    spec(
      'z_train',
      '1.0.0',
      command(`azureml:${east.id}/environments/sklearn/versions/3`, `azureml:${east.id}/codes/train-src/versions/1`),
    ),
  );
  await add(
    'components/z_train/versions/2',
    spec('z_train', '2', command('azureml:sklearn@latest', `azureml:${shouting}/codes/train-src/versions/1`)),
  );
  await add('components/y_short/versions/1', spec('y_short', '1', command('azureml:sklearn:1', 'azureml:spaces:1')));
  await add(
    'components/x_registry/versions/1',
    spec(
      'x_registry',
      '1',
      command(
        'azureml://registries/azureml/environments/sklearn-1.5/labels/latest',
        'azureml://registries/azureml/codes/c/versions/1',
      ),
    ),
  );
  const step = (component: string) => ({
    type: 'command',
    component,
    inputs: { data: { path: '${{parent.inputs.data}}' } },
  });
  await add(
    'components/c_inner/versions/1',
    spec('c_inner', '1', {
      type: 'pipeline',
      jobs: {
        one: step(`azureml:${east.id}/components/z_train/versions/1.0.0`),
        two: step('azureml:y_short:1'),
      },
    }),
  );
  await add(
    'components/b_middle/versions/1',
    spec('b_middle', '1', {
      type: 'pipeline',
      jobs: {
        inner: step('azureml:c_inner@latest'),
        reg: step('azureml://registries/azureml/components/train/versions/0.0.1'),
      },
    }),
  );
  await add(
    'components/a_outer/versions/1',
    spec('a_outer', '1', {
      type: 'pipeline',
      jobs: {
        middle: step(`azureml:${shouting}/components/b_middle/versions/1`),
        train: step(`${east.id}/components/z_train/versions/2`),
      },
      settings: { default_compute: 'azureml:gpu' },
    }),
  );
}
