import { ContainerClient, type StoragePipelineOptions } from '@azure/storage-blob';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { makeWorkspace, message, properties, startFixture, type Fixture } from './fixture.ts';

let azure: Fixture;
let workspace: string;

beforeAll(async () => {
  azure = await startFixture();
  workspace = await makeWorkspace(azure, 'eastus', 'fraud-east');
}, 60_000);
afterAll(() => azure?.close());

const names = (entries: JsonObject[]): Json[] => entries.map((entry) => entry.name ?? null);

/** A version of each kind, another content for it, and what it is refused with. */
const VERSIONS: Record<string, { first: JsonObject; other: JsonObject; changed: string }> = {
  models: {
    first: { modelUri: 'azureml://datastores/workspaceblobstore/paths/models/a/', modelType: 'mlflow_model' },
    other: { modelUri: 'azureml://datastores/workspaceblobstore/paths/models/b/', modelType: 'mlflow_model' },
    changed: 'modelUri cannot be changed',
  },
  data: {
    first: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/data/a/' },
    other: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/data/b/' },
    changed: 'dataUri cannot be changed',
  },
  environments: {
    first: { image: 'mcr.microsoft.com/azureml/base:1', condaFile: 'name: a' },
    other: { image: 'mcr.microsoft.com/azureml/base:2', condaFile: 'name: a' },
    changed: 'already registered and cannot be changed',
  },
  components: {
    first: {
      componentSpec: {
        name: 'train',
        command: 'python train.py',
        inputs: { n: { type: 'integer', default: null } },
      },
    },
    other: { componentSpec: { name: 'train', command: 'python other.py' } },
    changed: 'componentSpec cannot be changed',
  },
  codes: {
    first: {
      codeUri: 'https://account.blob.core.windows.net/code/a',
      properties: { hash_sha256: 'abc', hash_version: '202208' },
    },
    other: { codeUri: 'https://account.blob.core.windows.net/code/b' },
    changed: 'codeUri cannot be changed',
  },
};

describe.each(Object.entries(VERSIONS))('a version of %s', (segment, { first, other, changed }) => {
  const at = (version: string): string => `${workspace}/${segment}/fraud/versions/${version}`;

  it('makes its container, and comes back whole', async () => {
    const sent = { ...first, description: 'the first', tags: { a: '1' } };
    const created = await azure.arm('PUT', at('1'), { properties: sent });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      name: '1',
      type: `Microsoft.MachineLearningServices/workspaces/${segment}/versions`,
    });
    expect(properties(created.body)).toMatchObject(sent);
    expect(properties((await azure.arm('GET', at('1'))).body)).toEqual(properties(created.body));
    const container = await azure.arm('GET', `${workspace}/${segment}/fraud`);
    expect(properties(container.body)).toMatchObject({
      latestVersion: '1',
      nextVersion: '2',
      isArchived: false,
    });
  });

  it('takes the same content again, with other tags, and refuses other content', async () => {
    const again = await azure.arm('PUT', at('1'), { properties: { ...first, tags: { b: '2' } } });
    expect([again.status, properties(again.body).tags]).toEqual([200, { b: '2' }]);
    const refused = await azure.arm('PUT', at('1'), { properties: other });
    const status = segment === 'environments' ? 409 : 400;
    expect([refused.status, message(refused.body)]).toEqual([status, expect.stringContaining(changed)]);
    expect(properties((await azure.arm('GET', at('1'))).body)).toMatchObject(first);
  });

  it('is listed newest first, archived ones aside', async () => {
    await azure.arm('PUT', at('2'), { properties: first });
    await azure.arm('PUT', at('10'), { properties: first });
    const list = `${workspace}/${segment}/fraud/versions`;
    expect(names(await azure.list(list))).toEqual(['10', '2', '1']);
    expect(names(await azure.list(`${list}?$orderBy=createdtime%20asc`))).toEqual(['1', '2', '10']);
    await azure.arm('PUT', at('2'), { properties: { ...first, isArchived: true } });
    expect(names(await azure.list(list))).toEqual(['10', '1']);
    expect(names(await azure.list(`${list}?listViewType=ArchivedOnly`))).toEqual(['2']);
    expect(names(await azure.list(`${list}?listViewType=All`))).toHaveLength(3);
    expect(properties((await azure.arm('GET', `${workspace}/${segment}/fraud`)).body)).toMatchObject({
      latestVersion: '10',
      nextVersion: '11',
    });
    expect((await azure.arm('DELETE', at('10'))).status).toBe(200);
    expect((await azure.arm('DELETE', at('10'))).status).toBe(204);
    expect(properties((await azure.arm('GET', `${workspace}/${segment}/fraud`)).body).latestVersion).toBe('1');
  });
});

describe('assets', () => {
  it('are refused when malformed, or on a datastore that is not there', async () => {
    const data = `${workspace}/data/bad/versions/1`;
    const cases: [string, JsonObject, string][] = [
      [data, { dataType: 'uri_file' }, 'dataUri: required'],
      [data, { dataType: 'csv', dataUri: 'https://a/b' }, "got 'csv'"],
      [data, { dataType: 'uri_file', dataUri: 'azureml://datastores/nowhere/paths/a' }, "datastore 'nowhere'"],
      [`${workspace}/models/bad/versions/1`, {}, 'modelUri: required'],
      [`${workspace}/models/-bad/versions/1`, { modelUri: 'https://a/b' }, 'name "-bad" is invalid'],
    ];
    for (const [path, body, said] of cases) {
      const refused = await azure.arm('PUT', path, { properties: body });
      expect([refused.status, message(refused.body)]).toEqual([400, expect.stringContaining(said)]);
    }
    expect((await azure.arm('GET', `${workspace}/data/bad`)).status).toBe(404);
  });

  it('of environments have an image or a build', async () => {
    for (const properties of [{}, { condaFile: 'name: x' }]) {
      const { status, body } = await azure.arm('PUT', `${workspace}/environments/empty/versions/1`, {
        properties,
      });
      expect([status, message(body)]).toEqual([400, expect.stringContaining('must have an image')]);
    }
  });

  it('of data show their type as it is published now', async () => {
    const made = await azure.put(`${workspace}/data/older`, { properties: { dataType: 'UriFile' } });
    expect(properties(made).dataType).toBe('uri_file');
    const odd = await azure.arm('PUT', `${workspace}/data/odd`, { properties: { dataType: 'uri' } });
    expect([odd.status, message(odd.body)]).toEqual([400, expect.stringContaining("got 'uri'")]);
  });

  it('of data keep one type through all versions', async () => {
    const refused = await azure.arm('PUT', `${workspace}/data/fraud/versions/3`, {
      properties: { dataType: 'uri_file', dataUri: 'https://a/b' },
    });
    expect(message(refused.body)).toContain('is of type uri_folder');
  });

  it('of code are found by the hash of their snapshot, under whatever name', async () => {
    const list = `${workspace}/codes/fraud/versions`;
    const found = async (name: string, hash: string): Promise<Json[]> => {
      const path = `${workspace}/codes/${name}/versions?hash=${hash}&hashVersion=202208`;
      return (await azure.list(path)).map(({ id }) => id ?? null);
    };
    expect(await found('fraud', 'abc')).toContain(`${list}/1`);
    await azure.arm('PUT', `${list}/9`, { properties: VERSIONS.codes?.first ?? {} });
    // azure-ai-ml asks by a name that it has just made up.
    const all = await found('0b5c2f1e', 'abc');
    expect(all).toEqual(expect.arrayContaining([`${list}/9`, `${list}/1`]));
    expect(await found('fraud', 'abc')).toEqual(all);
    expect(await found('fraud', 'abd')).toEqual([]);
  });

  it('are uploaded to a place of their own', async () => {
    const answer = await azure.arm('POST', `${workspace}/codes/new/versions/1/startPendingUpload`, {
      pendingUploadType: 'TemporaryBlobReference',
    });
    expect(answer.status).toBe(200);
    const place = answer.body.blobReferenceForConsumption as {
      blobUri: string;
      credential: { sasUri: string };
    };
    const client = new ContainerClient(place.credential.sasUri, undefined, {
      tlsOptions: { ca: readFileSync(azure.running.address.ca, 'utf8') },
    } as StoragePipelineOptions);
    await client.getBlockBlobClient('src/train.py').upload('print(1)', 8);
    const found: string[] = [];
    for await (const blob of client.listBlobsFlat()) found.push(blob.name);
    expect(found).toEqual(['src/train.py']);
    expect(place.blobUri).toBe(place.credential.sasUri.split('?')[0]);
    const pendingUploadId = answer.body.pendingUploadId ?? null;
    const again = await azure.arm('POST', `${workspace}/codes/new/versions/1/startPendingUpload`, {
      pendingUploadId,
    });
    expect((again.body.blobReferenceForConsumption as { blobUri: string }).blobUri).toBe(place.blobUri);
  });
});

describe('datastores', () => {
  const SECRETS: Record<string, [JsonObject, JsonObject]> = {
    account_key: [
      {
        datastoreType: 'AzureBlob',
        accountName: 'acc',
        containerName: 'c',
        credentials: {
          credentialsType: 'AccountKey',
          secrets: { secretsType: 'AccountKey', key: 'canary-1' },
        },
      },
      { secretsType: 'AccountKey', key: 'canary-1' },
    ],
    sas: [
      {
        datastoreType: 'AzureFile',
        accountName: 'acc',
        fileShareName: 's',
        credentials: { credentialsType: 'Sas', secrets: { sasToken: 'canary-2' } },
      },
      { secretsType: 'Sas', sasToken: 'canary-2' },
    ],
    principal: [
      {
        datastoreType: 'AzureDataLakeGen2',
        accountName: 'acc',
        filesystem: 'f',
        credentials: {
          credentialsType: 'ServicePrincipal',
          clientId: 'c',
          tenantId: 't',
          secrets: { secretsType: 'ServicePrincipal', clientSecret: 'canary-3' },
        },
      },
      { secretsType: 'ServicePrincipal', clientSecret: 'canary-3' },
    ],
    gen1: [
      {
        datastoreType: 'AzureDataLakeGen1',
        storeName: 's',
        credentials: {
          credentialsType: 'Certificate',
          clientId: 'c',
          tenantId: 't',
          thumbprint: 'p',
          secrets: { secretsType: 'Certificate', certificate: 'canary-4' },
        },
      },
      { secretsType: 'Certificate', certificate: 'canary-4' },
    ],
  };

  it.each(Object.entries(SECRETS))('keep the secret of %s to listSecrets', async (name, [body, secrets]) => {
    const path = `${workspace}/datastores/${name}`;
    const created = await azure.arm('PUT', path, { properties: body });
    expect(created.status).toBe(201);
    const { secrets: _, ...shown } = body.credentials as JsonObject;
    expect(properties(created.body).credentials).toEqual(shown);
    const seen = JSON.stringify([
      created.body,
      await azure.arm('GET', path),
      await azure.list(`${workspace}/datastores`),
    ]);
    expect(seen).not.toContain('canary');
    expect((await azure.arm('POST', `${path}/listSecrets`, {})).body).toEqual(secrets);
    // What was got can be put back: the secret stays.
    expect((await azure.arm('PUT', path, { properties: { ...body, credentials: shown } })).status).toBe(200);
    expect((await azure.arm('POST', `${path}/listSecrets`, {})).body).toEqual(secrets);
  });

  it('with identity-based access have no secrets to list, whatever they had before', async () => {
    const path = `${workspace}/datastores/account_key`;
    await azure.arm('PUT', path, {
      properties: { ...SECRETS.account_key?.[0], credentials: { credentialsType: 'None' } },
    });
    const refused = await azure.arm('POST', `${path}/listSecrets`, {});
    expect([refused.status, message(refused.body)]).toEqual([400, 'No secrets for credentials of type None.']);
  });

  it('are refused when they lack what their kind must say', async () => {
    const put = async (body: JsonObject): Promise<string> =>
      message((await azure.arm('PUT', `${workspace}/datastores/bad`, { properties: body })).body);
    const credentials = { credentialsType: 'None' };
    expect(await put({ datastoreType: 'AzureBlob', accountName: 'a', credentials })).toContain('containerName');
    expect(await put({ datastoreType: 'Floppy', credentials })).toContain("got 'Floppy'");
    expect(await put({ datastoreType: 'AzureBlob', accountName: 'a', containerName: 'c' })).toContain('credentials');
    expect(
      await put({
        datastoreType: 'AzureBlob',
        accountName: 'a',
        containerName: 'c',
        credentials: { credentialsType: 'AccountKey' },
      }),
    ).toContain('secrets.key');
    const standard = await azure.arm('DELETE', `${workspace}/datastores/workspaceblobstore`);
    expect([standard.status, message(standard.body)]).toEqual([400, expect.stringContaining('default datastore')]);
  });
});
