/**
 * Sets the example up on an Azure: `node examples/set-up.ts --clients DIR --environment FILE`. It deploys the templates (control
 * store, a workspace in each region, Front Door), loads the active workspace, puts the model's endpoint at its smallest
 * into the standby, and lays out the clients' config files as a host would have them. Run again, it changes nothing.
 *
 * It is what a team's own pipelines do before there is anything to protect; Understudy has no part in it.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ResourceManagementClient } from '@azure/arm-resources';
import { DeploymentsClient } from '@azure/arm-resourcesdeployments';
import { ClientSecretCredential } from '@azure/identity';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const example = join(here, 'fraud-ml');
const regions = [
  { region: 'eastus', group: 'ml-east', workspace: 'fraud-east', origin: 'east' },
  { region: 'westus3', group: 'ml-west', workspace: 'fraud-west', origin: 'west' },
] as const;

type Outputs = Record<string, { value: unknown } | undefined>;

process.on('uncaughtException', (error) => {
  console.error(`set-up: ${error.message}`);
  process.exit(1);
});

const { values } = parseArgs({
  options: {
    clients: { type: 'string' },
    environment: { type: 'string' },
    data: { type: 'string' },
    megabytes: { type: 'string' },
  },
});
const clients = resolve(values.clients ?? 'clients');
const environmentFile = resolve(values.environment ?? 'fraud.env');
const data = resolve(values.data ?? join(example, 'data', 'generated'));

const subscriptionId = variable('AZURE_SUBSCRIPTION_ID');
const arm = process.env.AZURE_RESOURCE_MANAGER_ENDPOINT ?? 'https://management.azure.com';
const authorityHost = process.env.AZURE_AUTHORITY_HOST;
const credential = new ClientSecretCredential(
  variable('AZURE_TENANT_ID'),
  variable('AZURE_CLIENT_ID'),
  variable('AZURE_CLIENT_SECRET'),
  authorityHost === undefined ? {} : { authorityHost, disableInstanceDiscovery: !authorityHost.includes('login.microsoftonline') },
);
const scope = `${process.env.AZURE_RESOURCE_MANAGER_AUDIENCE ?? arm}/.default`;
const resources = new ResourceManagementClient(credential, subscriptionId, { endpoint: arm, credentialScopes: scope });
const deployments = new DeploymentsClient(credential, subscriptionId, { endpoint: arm, credentials: { scopes: [scope] } });

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set: source what "understudy stack up" wrote, or set your own`);
  return value;
}

function say(line: string): void {
  console.log(`set-up: ${line}`);
}

function json(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}

async function deploy(group: string, location: string, template: string, parameters: Record<string, { value: unknown }>): Promise<Outputs> {
  await resources.resourceGroups.createOrUpdate(group, { location });
  const made = await deployments.deployments
    .createOrUpdate(
      group,
      'set-up',
      { properties: { mode: 'Incremental', template: json(join(root, 'templates', `${template}.json`)), parameters } },
      { updateIntervalInMs: 500 },
    )
    .pollUntilDone();
  say(`${template}.json is deployed into ${group} (${location})`);
  return (made.properties?.outputs ?? {}) as Outputs;
}

function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', fail);
    child.on('exit', (code) => (code === 0 ? done() : fail(new Error(`${args[0] ?? command} ended with ${code}:\n${errors}`))));
  });
}

function load(workspace: (typeof regions)[number], more: string[]): Promise<void> {
  const where = ['--subscription', subscriptionId, '--resource-group', workspace.group, '--workspace', workspace.workspace];
  return run(
    process.execPath,
    [join(here, 'load.ts'), '--folder', example, ...where, '--data', data, ...more],
    { FRAUD_PYTHON_FEED_PAT: process.env.FRAUD_PYTHON_FEED_PAT ?? 'example-feed-token' },
  );
}

async function makeData(): Promise<void> {
  if (existsSync(data) && readdirSync(data).length > 0) return;
  mkdirSync(data, { recursive: true });
  await run(process.execPath, [join(example, 'data', 'make-data.ts'), '--out', data, ...(values.megabytes ? ['--megabytes', values.megabytes] : [])]);
  say(`made the data in ${data}`);
}

/** The hosts' files: as in the example, with this subscription's id; the training repository is a Git working copy. */
function layOutClients(): void {
  if (existsSync(clients)) return;
  cpSync(join(example, 'clients'), clients, { recursive: true });
  const files = readdirSync(clients, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of files) {
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll('00000000-0000-4000-8000-00000000e457', subscriptionId));
  }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Training', '-c', 'user.email=training@example.com', ...args], {
      cwd: join(clients, 'training-repo'),
      stdio: 'ignore',
    });
  git('init', '--initial-branch', 'main');
  git('add', '.');
  git('commit', '-m', 'The training repository');
  say(`the clients' config files are in ${clients}`);
}

/** Where a region's endpoint scores: host, port and path of its scoring URI. */
async function scoringAddress({ group, workspace }: (typeof regions)[number]): Promise<URL> {
  const token = await credential.getToken(scope);
  const path = `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.MachineLearningServices/workspaces/${workspace}/onlineEndpoints/fraud-score`;
  const response = await fetch(`${arm}${path}?api-version=2024-04-01`, { headers: { authorization: `Bearer ${token.token}` } });
  const endpoint = (await response.json()) as { properties?: { scoringUri?: string } };
  const uri = endpoint.properties?.scoringUri;
  if (uri === undefined) throw new Error(`the endpoint in ${workspace} has no scoring URI (HTTP ${response.status})`);
  return new URL(uri);
}

async function front(): Promise<string> {
  const addresses = await Promise.all(regions.map((each) => scoringAddress(each)));
  const origins = regions.map(({ origin }, index) => {
    const address = addresses[index] ?? new URL('https://localhost');
    return {
      name: origin,
      hostName: address.hostname,
      httpsPort: Number(address.port || 443),
      weight: index === 0 ? 1000 : 1,
      priority: index === 0 ? 1 : 2,
      enabled: 'Enabled',
    };
  });
  const scorePath = addresses[0]?.pathname ?? '/score';
  const outputs = await deploy('ml-front', 'centralus', 'front-door', {
    profileName: { value: 'fraud' },
    endpointName: { value: 'fraud' },
    origins: { value: origins },
    probePath: { value: scorePath.replace(/\/score$/, '') || '/' },
    probeIntervalSeconds: { value: 5 },
  });
  return `https://${String(outputs.hostName?.value)}${scorePath.replace(/\/score$/, '') || '/'}`;
}

async function main(): Promise<void> {
  await makeData();
  await deploy('ml-control', 'centralus', 'control-store', { storageAccountName: { value: 'frauddrcontrol' } });
  const outputs = await Promise.all(
    regions.map(({ region, group }) => {
      const { parameters } = json(join(example, 'parameters', `${region}.json`));
      return deploy(group, region, 'workspace', parameters as Record<string, { value: unknown }>);
    }),
  );
  const [active, standby] = regions;
  await Promise.all([
    load(active, ['--simulation', 'simulation.yml']).then(() => say(`${active.workspace} is loaded: assets, jobs, schedules, an endpoint`)),
    load(standby, ['jobs', 'schedules', 'components', 'data', 'datastores', 'connections', 'src'].flatMap((name) => ['--skip', name])).then(() =>
      say(`${standby.workspace} has the endpoint at its smallest, and no traffic`),
    ),
  ]);
  layOutClients();
  const settings = {
    CLIENTS: clients,
    SCORE_URL: await front(),
    EAST_VAULT: String(outputs[0]?.keyVaultUri?.value),
    WEST_VAULT: String(outputs[1]?.keyVaultUri?.value),
  };
  const passedOn = Object.entries(process.env).filter(([name]) =>
    /^(AZURE_|TEMPORAL_ADDRESS|TEMPORAL_NAMESPACE|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE)/.test(name),
  );
  const lines = [...passedOn, ...Object.entries(settings)].map(([name, value]) => `export ${name}="${value}"\n`);
  writeFileSync(environmentFile, lines.join(''), { mode: 0o600 });
  say(`what the topology asks of the environment is in ${environmentFile}`);
}

await main();
