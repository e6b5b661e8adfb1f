/** All files of a workspace, checked before anything is written: schemas, variables, local paths, names given twice. */
import { existsSync } from 'node:fs';
import { type z } from 'zod';
import { CommandComponent } from './assets/component.ts';
import { Data, Environment, Model } from './assets/registered.ts';
import { parseContent, readDocuments, type Document } from './documents.ts';
import { fillVariables, type Variables } from './variables.ts';
import { AutoMLJob } from './jobs/automl.ts';
import { CommandJob } from './jobs/command.ts';
import { PipelineJob } from './jobs/pipeline.ts';
import { SparkJob } from './jobs/spark.ts';
import { SweepJob } from './jobs/sweep.ts';
import { LoadError } from './load-error.ts';
import { type LocalPath } from './local-path.ts';
import { Compute } from './resources/compute.ts';
import { Connection } from './resources/connection.ts';
import { BlobDatastore } from './resources/datastore.ts';
import { Deployment, Endpoint } from './resources/endpoint.ts';
import { Schedule } from './resources/schedule.ts';

export interface Parsed<Content> {
  document: Document;
  content: Content;
}

export type Job =
  | { type: 'command'; content: CommandJob }
  | { type: 'sweep'; content: SweepJob }
  | { type: 'pipeline'; content: PipelineJob }
  | { type: 'automl'; content: AutoMLJob }
  | { type: 'spark'; content: SparkJob };

export interface WorkspaceFiles {
  datastores: Parsed<BlobDatastore>[];
  connections: Parsed<Connection>[];
  computes: Parsed<Compute>[];
  environments: Parsed<Environment>[];
  data: Parsed<Data>[];
  models: Parsed<Model>[];
  components: Parsed<CommandComponent>[];
  jobs: Parsed<Job>[];
  schedules: Parsed<Schedule>[];
  endpoints: Parsed<Endpoint>[];
  deployments: Parsed<Deployment>[];
}

export async function readWorkspaceFiles(
  folder: string,
  skip: readonly string[],
  variables: Variables,
  localPath: LocalPath,
): Promise<WorkspaceFiles> {
  const documents = await readDocuments(folder, skip);
  if (documents.length === 0)
    throw new LoadError(`no Azure Machine Learning YAML (by its $schema) in the folder "${folder}"`);
  const of = <Schema extends z.ZodType>(kind: Document['kind'], schema: Schema): Parsed<z.infer<Schema>>[] =>
    documents
      .filter((document) => document.kind === kind)
      .map((document) => ({ document, content: parseContent(document, schema) }));
  for (const document of documents) {
    if (document.kind === 'datastore' || document.kind === 'connection') fillVariables(document, variables);
  }
  const files: WorkspaceFiles = {
    datastores: of('datastore', BlobDatastore),
    connections: of('connection', Connection),
    computes: of('compute', Compute),
    environments: of('environment', Environment),
    data: of('data', Data),
    models: of('model', Model),
    components: of('component', CommandComponent),
    jobs: documents
      .filter(({ kind }) => kind === 'job')
      .map((document) => ({ document, content: parseJob(document) })),
    schedules: of('schedule', Schedule),
    endpoints: of('endpoint', Endpoint),
    deployments: of('deployment', Deployment),
  };
  refuseTwins(files);
  refuseMissingPaths(files, localPath);
  return files;
}

/** What kind of job a file is says its `$schema`, as its `type` may be left out. */
export function parseJob(document: Document): Job {
  const { $schema } = document.content;
  const schema = typeof $schema === 'string' ? /(\w+)\.schema\.json$/u.exec($schema)?.[1] : undefined;
  switch (schema) {
    case 'commandJob':
      return { type: 'command', content: parseContent(document, CommandJob) };
    case 'sweepJob':
      return { type: 'sweep', content: parseContent(document, SweepJob) };
    case 'pipelineJob':
      return { type: 'pipeline', content: parseContent(document, PipelineJob) };
    case 'autoMLJob':
      return { type: 'automl', content: parseContent(document, AutoMLJob) };
    case 'sparkJob':
      return { type: 'spark', content: parseContent(document, SparkJob) };
    default:
      throw new LoadError(`${document.shownPath}: $schema: "${schema}" is no job`);
  }
}

function refuseTwins(files: WorkspaceFiles): void {
  const seen = new Map<string, string>();
  const all = Object.values(files) as Parsed<{ name?: string; version?: string; endpoint_name?: string }>[][];
  for (const { document, content } of all.flat()) {
    const own = 'content' in content ? (content as { content: { name?: string } }).content : content;
    if (own.name === undefined) continue;
    const { version, endpoint_name: endpoint } = content;
    const label = `${document.kind} ${endpoint === undefined ? '' : `${endpoint}/`}${own.name}${version === undefined ? '' : `:${version}`}`;
    const first = seen.get(label);
    if (first !== undefined)
      throw new LoadError(`${document.shownPath}:${document.lineOf(['name'])}: ${label} is in ${first} too`);
    seen.set(label, document.shownPath);
  }
}

function refuseMissingPaths(files: WorkspaceFiles, localPath: LocalPath): void {
  const paths: { document: Document; place: string[]; path: string }[] = [];
  const add = (document: Document, place: string[], path: string | undefined) => {
    if (path !== undefined && !/^(?:azureml:|[a-z]+:\/\/|\/subscriptions\/|runs:)/iu.test(path))
      paths.push({ document, place, path });
  };
  for (const { document, content } of [...files.data, ...files.models]) add(document, ['path'], content.path);
  for (const { document, content } of files.environments) {
    if (typeof content.conda_file === 'string') add(document, ['conda_file'], content.conda_file);
    add(document, ['build', 'path'], content.build?.path);
  }
  for (const { document, content } of files.components) add(document, ['code'], content.code);
  for (const { document, content: job } of files.jobs) {
    if (job.type === 'command' || job.type === 'spark') add(document, ['code'], job.content.code);
    if (job.type === 'sweep') add(document, ['trial', 'code'], job.content.trial.code);
  }
  for (const { document, content } of files.schedules) add(document, ['create_job'], content.create_job);
  for (const { document, place, path } of paths) {
    const local = localPath(path, document.path);
    if (existsSync(local)) continue;
    const hint = /[\\/]generated[\\/]/u.test(local)
      ? ': make the data first (data/make-data.ts), or name its folder with --data'
      : '';
    throw new LoadError(
      `${document.shownPath}:${document.lineOf(place)}: ${place.join('.')}: there is no "${local}"${hint}`,
    );
  }
}
