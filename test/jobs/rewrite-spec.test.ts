import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/azure/azure.ts';
import { isHopFolder } from '../../src/workspace/jobs/hop-folder.ts';
import type { RawJob } from '../../src/workspace/jobs/job.ts';
import { successorName } from '../../src/ledger/ledger.ts';
import { rewriteSpec, type RewriteSpec } from '../../src/jobs/spec/rewrite-spec.ts';
import { successorSpec, type SuccessorSpecOptions } from '../../src/jobs/spec/successor-spec.ts';
import { command, east, eastId, mapping, west, westId } from './scene.ts';

const long = (workspace: typeof east, rest: string) =>
  `azureml://subscriptions/${workspace.subscriptionId}/resourcegroups/${workspace.resourceGroup}/workspaces/${workspace.name}${rest}`;
const identityId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/a';
const successor = { name: 'us-next', hop: 2, lineageRoot: 'root', run: 'run-1' };

type Options = Partial<RewriteSpec & SuccessorSpecOptions>;

/** The spec in the other workspace; where `options` say more than how references read, that of a successor. */
function rewrite(properties: JsonObject, options: Options = {}) {
  return rewriteJob({ id: `${eastId}/jobs/j`, name: 'j', type: 't', properties }, options);
}

function rewriteJob(job: RawJob, { mapping: given = mapping, ...options }: Options) {
  const moved = rewriteSpec(job, { mapping: given });
  if (Object.keys(options).length === 0) return { ...moved, body: { properties: moved.properties } };
  const none = { successor, checkpointOutput: 'checkpoints', isShared: () => false };
  return { ...moved, ...successorSpec(job, moved, { ...none, ...options }) };
}

describe('rewriteSpec', () => {
  it('leaves out what belongs to the old run, and says so', () => {
    const { body, stripped } = rewrite(
      command({
        parameters: { a: 1 },
        services: {
          Studio: { jobServiceType: 'Studio', endpoint: 'https://x' },
          board: {
            jobServiceType: 'TensorBoard',
            endpoint: 'https://y',
            status: 'on',
            port: 6006,
            properties: { logDir: 'l' },
          },
        },
        properties: {
          'azureml.git.branch': 'x',
          '_azureml.ComputeTargetType': 'y',
          'mlflow.source': 'z',
          mine: 'kept',
        },
        outputs: {
          default: {
            jobOutputType: 'uri_folder',
            uri: 'azureml://datastores/workspaceartifactstore/ExperimentRun/dcid.j',
          },
          model: { jobOutputType: 'uri_folder', uri: null },
        },
      }),
    );
    expect(body.properties['status']).toBeUndefined();
    expect(body.properties['parameters']).toBeUndefined();
    expect(body.properties['services']).toEqual({
      board: { jobServiceType: 'TensorBoard', port: 6006, properties: { logDir: 'l' } },
    });
    expect(body.properties['properties']).toEqual({ mine: 'kept' });
    expect(body.properties['outputs']).toEqual({ model: { jobOutputType: 'uri_folder', uri: null } });
    expect(stripped.toSorted()).toEqual([
      'properties.outputs.default',
      'properties.parameters',
      'properties.properties._azureml.ComputeTargetType',
      'properties.properties.azureml.git.branch',
      'properties.properties.mlflow.source',
      'properties.services.Studio',
      'properties.services.board.endpoint',
      'properties.services.board.status',
      'properties.status',
    ]);
  });

  it('keeps what people called the job, even where it looks like a reference', () => {
    const said = {
      displayName: eastId,
      description: `see ${eastId}`,
      experimentName: 'fraud-east',
      tags: { note: eastId },
    };
    expect(rewrite(command(said)).body.properties).toMatchObject(said);
  });

  it('goes through the nodes of a pipeline', () => {
    const { body, unmapped } = rewrite({
      jobType: 'Pipeline',
      sourceJobId: `${eastId}/jobs/other`,
      settings: {
        default_compute: 'azureml:gpu-east',
        default_datastore: `${eastId}/datastores/workspaceblobstore`,
        force_rerun: false,
      },
      inputs: { raw: { jobInputType: 'uri_folder', uri: long(east, '/datastores/lake/paths/raw/') } },
      jobs: {
        prepare: {
          type: 'command',
          componentId: `${eastId}/components/prep/versions/1`,
          computeId: `${eastId}/computes/gpu-east`,
          inputs: { raw: { job_input_type: 'literal', value: '${{parent.inputs.raw}}' } },
        },
        nested: {
          type: 'pipeline',
          jobs: { deep: { environment_id: 'azureml:env:1', compute: 'gpu-east' } },
        },
      },
    });
    expect(unmapped).toEqual([]);
    expect(body.properties).toEqual({
      jobType: 'Pipeline',
      settings: {
        default_compute: 'azureml:gpu-west',
        default_datastore: `${westId}/datastores/workspaceblobstore`,
        force_rerun: false,
      },
      inputs: { raw: { jobInputType: 'uri_folder', uri: long(west, '/datastores/lake/paths/raw/') } },
      jobs: {
        prepare: {
          type: 'command',
          componentId: `${westId}/components/prep/versions/1`,
          computeId: `${westId}/computes/gpu-west`,
          inputs: { raw: { job_input_type: 'literal', value: '${{parent.inputs.raw}}' } },
        },
        nested: {
          type: 'pipeline',
          jobs: { deep: { environment_id: 'azureml:env:1', compute: 'gpu-west' } },
        },
      },
    });
  });

  it('moves Spark’s files and addresses', () => {
    const storage = [
      { account: 'e1', from: 'https://e1.blob.core.windows.net/', to: 'https://w1.blob.core.windows.net/' },
    ];
    const { body } = rewrite(
      {
        jobType: 'Spark',
        jars: ['abfss://c@e1.dfs.core.windows.net/a.jar', 'lib/b.jar'],
        conf: { 'spark.x': 1 },
        codeId: `${eastId}/codes/c/versions/1`,
      },
      { mapping: { ...mapping, storage } },
    );
    expect(body.properties).toEqual({
      jobType: 'Spark',
      jars: ['abfss://c@w1.dfs.core.windows.net/a.jar', 'lib/b.jar'],
      conf: { 'spark.x': 1 },
      codeId: `${westId}/codes/c/versions/1`,
    });
  });

  it.each<[string, JsonObject, string]>([
    ['a resource id', { resourceId: identityId, clientId: 'c', objectId: 'o' }, identityId],
    ['a client id alone', { resourceId: null, clientId: 'c' }, 'c'],
    ['an object id alone', { objectId: 'o' }, 'o'],
  ])('a managed identity named by %s maps to nothing', (_what, ids, name) => {
    const identity = { identityType: 'Managed', ...ids };
    const { unmapped } = rewrite({ jobType: 'Command', identity });
    const reason = `it runs as managed identity ${name}, which the topology maps to nothing`;
    expect(unmapped).toEqual([{ place: 'properties.identity', value: name, reason }]);
    const staying = rewrite({ jobType: 'Command', identity }, { mapping: { ...mapping, to: mapping.from } });
    expect(staying.unmapped).toEqual([]);
    expect(staying.body.properties['identity']).toEqual(identity);
  });

  it.each(['type', 'identity_type'])('a managed identity of a node is found, by its "%s"', (key) => {
    const identity = { [key]: 'managed', client_id: 'c' };
    const { unmapped } = rewrite({ jobType: 'Pipeline', jobs: { node: { type: 'command', identity } } });
    expect(unmapped.map(({ place, value }) => [place, value])).toEqual([['properties.jobs.node.identity', 'c']]);
  });

  it.each<[string, JsonObject]>([
    ["the compute's own", { identityType: 'Managed' }],
    ["the compute's own, with nulls", { identityType: 'Managed', resourceId: null, clientId: null }],
    ['a token', { identityType: 'AMLToken' }],
  ])('an identity that is %s stays', (_what, identity) => {
    const { body, unmapped } = rewrite({ jobType: 'Command', identity });
    expect(unmapped).toEqual([]);
    expect(body.properties['identity']).toEqual(identity);
  });

  it.each<[string, JsonObject, JsonObject, [string, string, string][]]>([
    [
      'a list',
      { resources: { locations: ['eastus'] } },
      { resources: { locations: ['westus3'] } },
      [['resources.locations', 'eastus', 'westus3']],
    ],
    [
      'its long name, among others, the new region already there',
      { resources: { locations: ['East US', 'westus3', 'uksouth'] } },
      { resources: { locations: ['westus3', 'uksouth'] } },
      [['resources.locations', 'East US, westus3, uksouth', 'westus3, uksouth']],
    ],
    [
      'a queue, and a node',
      { queueSettings: { location: 'eastus' }, jobs: { n: { resources: { locations: ['eastus'] } } } },
      { queueSettings: { location: 'westus3' }, jobs: { n: { resources: { locations: ['westus3'] } } } },
      [
        ['queueSettings.location', 'eastus', 'westus3'],
        ['jobs.n.resources.locations', 'eastus', 'westus3'],
      ],
    ],
    [
      'other regions, names that only begin alike, and inputs, which stay',
      {
        resources: { locations: ['eastus2', 'uksouth'], properties: { location: { a: 'eastus' } } },
        inputs: { location: { jobInputType: 'literal', value: 'eastus' } },
        jobs: { resources: { inputs: { locations: 'eastus' } } },
        environmentVariables: { location: 'eastus' },
      },
      {
        resources: { locations: ['eastus2', 'uksouth'], properties: { location: { a: 'eastus' } } },
        inputs: { location: { jobInputType: 'literal', value: 'eastus' } },
        jobs: { resources: { inputs: { locations: 'eastus' } } },
        environmentVariables: { location: 'eastus' },
      },
      [],
    ],
  ])('moves the regions in which a job may run: %s', (_what, before, after, moved) => {
    const { body, changes } = rewrite({ jobType: 'Command', ...before });
    expect(body.properties).toEqual({ jobType: 'Command', ...after });
    expect(changes).toEqual(moved.map(([place, from, to]) => ({ place: `properties.${place}`, from, to })));
  });

  it('shows no signature', () => {
    const uri = 'https://e1.blob.core.windows.net/c/p?sv=1&sig=canary';
    const storage = [
      { account: 'e1', from: 'https://e1.blob.core.windows.net/', to: 'https://w1.blob.core.windows.net/' },
    ];
    const result = rewrite(command({ inputs: { d: { jobInputType: 'uri_file', uri } } }), {
      mapping: { ...mapping, storage },
    });
    expect(result.unmapped).toHaveLength(1);
    expect(JSON.stringify([result.changes, result.unmapped])).not.toContain('canary');
  });

  it('is tagged with its origin and keeps its other tags', () => {
    expect(rewrite(command(), { successor }).body.properties['tags']).toEqual({
      owner: 'ana',
      priority: 'normal',
      'understudy.origin': `${eastId}/jobs/j`,
      'understudy.lineage': 'root',
      'understudy.hop': '2',
      'understudy.run': 'run-1',
    });
  });

  it('takes the checkpoint in the mode its owner chose', () => {
    const declared = {
      jobInputType: 'uri_folder',
      mode: 'Download',
      description: 'd',
      uri: long(east, '/datastores/d/paths/start'),
    };
    const resume = { input: 'resume_from', uri: long(west, '/datastores/d/paths/ckpt/') };
    const { body, changes } = rewrite(command({ inputs: { resume_from: declared } }), { resume });
    expect(body.properties['inputs']).toEqual({ resume_from: { ...declared, uri: resume.uri } });
    expect(changes.filter(({ place }) => place === 'properties.inputs.resume_from.uri')).toEqual([
      { place: 'properties.inputs.resume_from.uri', from: declared.uri, to: resume.uri },
    ]);
  });

  it.each([
    [
      "Azure's own place for the job",
      long(east, '/datastores/d/paths/azureml/j/model/'),
      long(west, '/datastores/d/paths/azureml/us-next/model/'),
    ],
    [
      'a folder of the user, each side its own store',
      long(east, '/datastores/d/paths/j/out/'),
      long(west, '/datastores/d/paths/j/out/'),
    ],
    [
      'a folder on a shared store',
      'azureml://datastores/both/paths/out/',
      'azureml://datastores/both/paths/out/us-next-hop-2/',
    ],
    [
      'a folder on a shared store, without a slash',
      'azureml://datastores/both/paths/out',
      'azureml://datastores/both/paths/out/us-next-hop-2',
    ],
    [
      'a file on a shared store',
      'azureml://datastores/both/paths/out/s.csv',
      'azureml://datastores/both/paths/out/us-next-hop-2/s.csv',
    ],
    [
      'an address that both sides write to',
      'abfss://c@lake.dfs.core.windows.net/o/',
      'abfss://c@lake.dfs.core.windows.net/o/us-next-hop-2/',
    ],
  ])('writes to %s', (_what, from, to) => {
    const outputs = { o: { jobOutputType: 'uri_folder', uri: from } };
    const { body } = rewrite(command({ outputs }), { successor, isShared: (name) => name === 'both' });
    expect(body.properties['outputs']).toEqual({ o: { jobOutputType: 'uri_folder', uri: to } });
  });

  describe('a path a hop for checkpoints', () => {
    const root = 'eastus.fraud-east.train';
    const hop = (number: number) => ({
      name: successorName(root, number),
      hop: number,
      lineageRoot: root,
      run: 'run-1',
    });
    /** Where the n-th successor writes, each made from what Azure held of the one before. */
    function pathsOf(uri: string, hops: number): string[] {
      let job: RawJob = {
        id: `${eastId}/jobs/train`,
        name: 'train',
        type: 't',
        properties: command({ outputs: { checkpoints: { jobOutputType: 'uri_folder', uri } } }),
      };
      return Array.from({ length: hops }, (_, index) => {
        const [from, to] = index % 2 === 0 ? [east, west] : [west, east];
        const successor = hop(index + 1);
        const { body } = rewriteJob(job, {
          mapping: { ...mapping, from, to, compute: {} },
          successor,
          checkpointOutput: 'checkpoints',
          isShared: (name) => name === 'both',
        });
        job = { id: '', name: successor.name, type: 't', properties: body.properties };
        return (body.properties as { outputs: { checkpoints: { uri: string } } }).outputs.checkpoints.uri;
      });
    }
    const folder = (number: number) => `${hop(number).name}-hop-${number}`;

    it.each(['d', 'both'])('comes from the first path, and is never nested (datastore %s)', (datastore) => {
      const at = (workspace: typeof east, rest: string) =>
        long(workspace, `/datastores/${datastore}/paths/checkpoints/train/${rest}`);
      expect(pathsOf(at(east, ''), 3)).toEqual([
        at(west, `${folder(1)}/`),
        at(east, `${folder(2)}/`),
        at(west, `${folder(3)}/`),
      ]);
    });
    it('is not needed where the path has the name of the job in it', () => {
      const uri = 'azureml://datastores/d/paths/checkpoints/${{name}}/';
      expect(pathsOf(uri, 2)).toEqual([uri, uri]);
    });
    it('is not needed in the place that Azure gives each job', () => {
      const at = (name: string) => `azureml://datastores/d/paths/azureml/${name}/checkpoints/`;
      expect(pathsOf(at('train'), 2)).toEqual([at(hop(1).name), at(hop(2).name)]);
    });
    it('is that of an address too, though each side has its own', () => {
      const storage = [
        { account: 'e1', from: 'https://e1.blob.core.windows.net/', to: 'https://w1.blob.core.windows.net/' },
      ];
      const uri = 'abfss://c@e1.dfs.core.windows.net/ckpt/';
      const { body } = rewrite(command({ outputs: { checkpoints: { uri }, other: { uri } } }), {
        successor: hop(1),
        checkpointOutput: 'checkpoints',
        mapping: { ...mapping, storage },
      });
      expect(body.properties['outputs']).toEqual({
        checkpoints: { uri: `abfss://c@w1.dfs.core.windows.net/ckpt/${folder(1)}/` },
        other: { uri: 'abfss://c@w1.dfs.core.windows.net/ckpt/' },
      });
    });
    it('is told from folders that only look alike', () => {
      expect(isHopFolder(folder(12))).toBe(true);
      for (const name of ['hop-1', 'us-next-hop-2', `${folder(1)}x`]) expect(isHopFolder(name)).toBe(false);
    });
  });
});
