/** What the loader is told: by its command line which workspace and folder, by the environment which Azure and who. */
import { parseArgs } from 'node:util';
import { LoadError } from './load-error.ts';
import { type WorkspaceScope } from './scope.ts';

export interface Settings {
  folder: string;
  scope: WorkspaceScope;
  /** Where generated data is, instead of `data/generated` in the folder. */
  dataFolder?: string;
  /** A file that says how long jobs live on a local Azure. */
  simulationFile?: string;
  /** Names of folders whose YAML is not for this workspace. */
  skip: string[];
  azure: AzureSettings;
  /** The environment that `${NAME}` in datastores and connections is filled from. */
  environment: Readonly<Record<string, string | undefined>>;
}

export interface AzureSettings {
  armEndpoint: string;
  scope: string;
  tenantId: string;
  clientId: string;
  clientSecret: string;
  authorityHost: string;
}

export const USAGE = `Usage: node examples/load.ts --folder DIR --subscription ID --resource-group NAME --workspace NAME
       [--data DIR] [--simulation FILE] [--skip NAME]...

Creates in a workspace what the Azure ML CLI v2 YAML files of a folder describe, as "az ml ... create -f" would for each:
datastores, connections, computes, environments, data, models, components, jobs, schedules, endpoints and deployments.
What is there already is left alone, so it may be run again.

  --data DIR         the folder of generated data (default: data/generated in the folder)
  --simulation FILE  how long the jobs live on a local Azure (a path, or one relative to the folder)
  --skip NAME        skip folders of this name too (may be repeated); clients is always skipped

From the environment: AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET; AZURE_AUTHORITY_HOST,
AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_RESOURCE_MANAGER_AUDIENCE (for clouds other than the public one);
NODE_EXTRA_CA_CERTS (for a certificate authority of one's own); and each \${NAME} in a datastore or connection.

Exit codes: 0 done, 1 failed, 2 bad usage or input.
Example: node examples/load.ts --folder examples/fraud-ml --subscription 11111111-2222-3333-4444-555555555555 \\
           --resource-group ml-east --workspace fraud-east
`;

type Environment = Readonly<Record<string, string | undefined>>;

/** Answers undefined where help was asked for. */
export function readSettings(args: string[], environment: Environment): Settings | undefined {
  const { values } = parse(args);
  if (values.help === true) return undefined;
  return {
    folder: required(values.folder, 'folder'),
    scope: {
      subscriptionId: required(values.subscription, 'subscription'),
      resourceGroup: required(values['resource-group'], 'resource-group'),
      workspace: required(values.workspace, 'workspace'),
    },
    ...(values.data === undefined ? {} : { dataFolder: values.data }),
    ...(values.simulation === undefined ? {} : { simulationFile: values.simulation }),
    skip: ['clients', ...(values.skip ?? [])],
    azure: readAzure(environment),
    environment,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        folder: { type: 'string' },
        subscription: { type: 'string' },
        'resource-group': { type: 'string' },
        workspace: { type: 'string' },
        data: { type: 'string' },
        simulation: { type: 'string' },
        skip: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new LoadError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new LoadError(`--${name} is missing\n\n${USAGE}`);
  return value;
}

function readAzure(environment: Environment): AzureSettings {
  const read = (name: string) => {
    const value = environment[name];
    if (value === undefined || value === '')
      throw new LoadError(`the environment variable ${name} is not set`);
    return value;
  };
  const armEndpoint = (environment.AZURE_RESOURCE_MANAGER_ENDPOINT ?? 'https://management.azure.com').replace(
    /\/+$/u,
    '',
  );
  const audience = environment.AZURE_RESOURCE_MANAGER_AUDIENCE ?? armEndpoint;
  return {
    armEndpoint,
    scope: `${audience.replace(/\/+$/u, '')}/.default`,
    tenantId: read('AZURE_TENANT_ID'),
    clientId: read('AZURE_CLIENT_ID'),
    clientSecret: read('AZURE_CLIENT_SECRET'),
    authorityHost: environment.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com',
  };
}
