/**
 * The topology: the one declared file, `understudy.yaml`. This schema is its only definition. Types, the JSON Schema
 * for editors and the reference in docs/ derive from it. Limits of names are Azure's (workspace 3–33 characters,
 * storage account 3–24 lower-case letters and digits).
 */
import { z } from 'zod';
import { GateTime, Objective, ScrubPeriod, Skew, TimeLimit } from './duration-fields.ts';
import { Glob, Jobs } from './job-fields.ts';
import { phases, resourceClasses, strategies } from './words.ts';

const RegionName = z
  .string()
  .regex(/^[a-z][a-z0-9]{2,30}$/, 'expected the name of an Azure region in lower case, such as "eastus"')
  .describe('The name of an Azure region in lower case, such as "eastus".');

/** Checked by check-names.ts when a file is read, not here: what a run has sealed must stay readable. */
const SubscriptionId = z.string().min(1).describe('The id of a subscription, not its name.');

export const WorkspaceRef = z
  .strictObject({
    subscriptionId: SubscriptionId.max(64),
    resourceGroup: z.string().min(1).max(90),
    name: z
      .string()
      .min(3)
      .max(33)
      .regex(/^[a-zA-Z0-9][a-zA-Z0-9_-]*$/, 'expected letters, digits, "-" and "_", starting with a letter or digit')
      .describe('Letters, digits, "-" and "_", starting with a letter or digit.'),
  })
  .describe('An Azure Machine Learning workspace.');
export type WorkspaceRef = z.infer<typeof WorkspaceRef>;

export const Region = z.strictObject({
  workspace: WorkspaceRef,
  template: z
    .strictObject({
      file: z.string().min(1).describe('A Bicep file, or an ARM template in JSON; relative to the topology.'),
      parameters: z.string().min(1).optional().describe('An ARM parameters file in JSON.'),
    })
    .optional()
    .describe('What builds the workspace and its resources in this region.'),
});
export type Region = z.infer<typeof Region>;

const ClassObjective = z.strictObject({
  rto: Objective.optional().describe('How long the class may be without service.'),
  rpo: Objective.optional().describe('How much work of the class may be lost.'),
});

const perClass = <T extends z.ZodType>(value: T) =>
  z.strictObject(
    Object.fromEntries(resourceClasses.map((name) => [name, value])) as Record<(typeof resourceClasses)[number], T>,
  );

const Strategies = perClass(z.enum(strategies).default('hot-warm'));
const Objectives = perClass(ClassObjective.optional());

const Artifacts = z.strictObject({
  include: z
    .array(Glob)
    .default(['**'])
    .describe(
      'Which assets to carry, as globs over "models/NAME/VERSION", "data/…", "environments/…", "components/…", "codes/…": "models/fraud/*", "data/**".',
    ),
  exclude: z.array(Glob).default([]).describe('Which of these not to carry.'),
  versions: z.int().min(1).default(20).describe('How many newest versions of each asset to carry.'),
  paths: z
    .array(
      z.strictObject({
        datastore: z.string().describe('A datastore of the active workspace.'),
        path: z.string().describe('A folder or blob below it.'),
      }),
    )
    .default([])
    .describe('Further folders of datastores to carry, which no asset names.'),
  concurrency: z.int().min(1).max(256).default(16).describe('How many blobs are copied, restored or read at once.'),
  attempts: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .describe('How often an asset that changes while it is copied is tried before it is sealed as fuzzy.'),
});

/** A path on the host, not on the machine that reads the topology. */
const HostPath = z.string().regex(/^(\/|[A-Za-z]:[\\/])/, 'expected an absolute path on the host');

const Host = z.string().min(1).describe('Served by "understudy worker --host NAME", which runs there.');

export const ConfigTarget = z
  .union([
    z.strictObject({
      host: Host,
      git: z.string().min(1).describe('A Git working copy on the host.'),
      files: z.array(Glob).min(1).describe('Which files in it, as globs; the changes become one commit.'),
      branch: z.string().optional().describe('The branch that must be checked out; default: whichever is.'),
    }),
    z.strictObject({ host: Host, file: HostPath.describe('One file on the host, by its absolute path.') }),
  ])
  .describe('Config files to rewrite: files in a Git working copy on a named host, or one file on a named host.');
export type ConfigTarget = z.infer<typeof ConfigTarget>;

const Probe = z.strictObject({
  http: z
    .url({ protocol: /^https?$/, error: 'expected a URL such as "https://score.example.com/health"' })
    .describe('The public address, as clients reach it.'),
  method: z.enum(['GET', 'POST', 'HEAD']).default('GET'),
  body: z.unknown().optional().describe('The request body; sent as JSON.'),
  expect: z.int().min(100).max(599).default(200).describe('The HTTP status that it must answer.'),
  class: z.enum(resourceClasses).default('inference').describe('Which class’s switch it proves.'),
});
export type Probe = z.infer<typeof Probe>;

const FrontDoor = z.strictObject({
  subscriptionId: SubscriptionId,
  resourceGroup: z.string().min(1),
  profile: z.string().min(1).describe('The Front Door profile.'),
  originGroup: z.string().min(1),
  origins: z.record(RegionName, z.string().min(1)).describe('The name of each region’s origin.'),
});

const VaultUri = z.url({
  protocol: /^https$/,
  error: 'expected the URI of a key vault, such as "https://my-vault.vault.azure.net/"',
});

const Policies = z.strictObject({
  leaseTtl: TimeLimit.default('30s').describe('How long the writer lease lives without renewal.'),
  clockSkew: Skew.default('5s').describe('What a takeover waits beyond the lease.'),
  requestTimeout: TimeLimit.default('10s').describe('How long one request to Azure may take.'),
  progressDeadline: TimeLimit.default('5m').describe(
    'How long a step may show no progress; its attempt is ended then, and the step tried again. At least four times requestTimeout.',
  ),
  standbyDeadline: TimeLimit.default('10s').describe(
    'How long the standby is looked at before the region pointer moves; what has not answered by then counts as unknown.',
  ),
  fenceDeadline: TimeLimit.default('20s').describe(
    'How long the old side is tried before the rest is owed: from the beginning of the fence, or since it last got on with stopping its jobs.',
  ),
  fenceLimit: TimeLimit.default('5m').describe(
    'How long stopping schedules and shutting out writers of the old side may hold up the switch, however well the region gets on with it, before the rest is owed.',
  ),
  jobStopDeadline: TimeLimit.default('1h').describe(
    'How long a region that answers may take to stop its jobs, before the rest is owed. At the rate that Azure takes writes, ten thousand need 18 minutes, or twice that where both workspaces are in one subscription and they are resumed meanwhile.',
  ),
  replicateDeadline: TimeLimit.default('6h').describe(
    'How long a replication may take in all; then it fails and says in which step. Also: replicate --timeout.',
  ),
  probeDeadline: TimeLimit.default('5m').describe('How long a probe may take to pass.'),
  smokeDeadline: TimeLimit.default('20m').describe(
    'How long the smoke job may take; a cluster that starts from no node needs minutes.',
  ),
  whatIfDeadline: TimeLimit.default('1m').describe(
    'How long Azure may take to say what a template would change; its deployment goes on without that.',
  ),
  provisionDeadline: TimeLimit.default('1h').describe('How long the deployment of a template may take.'),
  scrubPeriod: ScrubPeriod.default('7d'),
  scrubAtMost: TimeLimit.default('30m').describe(
    'How long one `replicate` may read copies before it takes its recovery point; what is left is read by the next ones.',
  ),
  jobBatch: z.int().min(1).max(1000).default(50).describe('How many jobs of one priority are submitted side by side.'),
});

const Gate = z.strictObject({
  before: z
    .enum([...phases, 'irreversible'])
    .describe(
      'What waits for it: a phase, with all later ones, of every resource class; or everything that a cancel cannot take back.',
    ),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and "-"')
    .optional()
    .describe('What it is called; default: "before-" and what waits for it.'),
  when: z
    .enum(['always', 'unattended'])
    .default('always')
    .describe('Whether it asks in every move, or only in one that nobody watches (failover --unattended).'),
  approvers: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Who may decide, as "user@host"; default: anyone. Who started the move never approves it.'),
  approvals: z
    .int()
    .min(1)
    .max(10)
    .default(1)
    .describe('How many must approve. One who declines is enough to decline.'),
  deadline: GateTime.default('1h').describe('How long it asks.'),
  afterDeadline: z
    .enum(['decline', 'approve'])
    .default('decline')
    .describe('What it means that nobody has decided in time.'),
});

const Merge = z.strictObject({
  onlyThere: z
    .enum(['bring', 'leave'])
    .default('bring')
    .describe(
      'What only that region has: the writer gets it too, or it stays there. Jobs go on once it is the writer.',
    ),
  changedThere: z
    .enum(['bring', 'leave'])
    .default('bring')
    .describe('What was changed in that region alone: the writer gets the change, or keeps its own.'),
  versions: z
    .enum(['renumber', 'writer', 'ask'])
    .default('renumber')
    .describe(
      'A version that both made: the other region’s becomes the next free one, and what refers to it follows; or the writer’s is the only one that counts; or a person decides.',
    ),
  conflicts: z
    .enum(['ask', 'writer', 'returning'])
    .default('ask')
    .describe(
      'Anything else that both changed: a person decides, or the writer’s counts, or that of the region to return to.',
    ),
});

const Notify = z.strictObject({
  webhookFrom: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/, 'expected the name of an environment variable, such as PAGER_WEBHOOK')
    .describe(
      'The environment variable of the workers that has the webhook’s URL: such an address is a secret, and stands in no file.',
    ),
  on: z
    .array(z.enum(['waiting', 'failed', 'cancelled', 'completed']))
    .min(1)
    .default(['waiting', 'failed'])
    .describe('What it is told of: a run that waits for people to decide, and which ends of a run.'),
});

export const Topology = z.strictObject({
  $schema: z.string().optional().describe('For editors: where the JSON Schema is.'),
  name: z
    .string()
    .min(1)
    .max(40)
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and "-"')
    .describe('What runs, reports and search attributes call it.'),
  regions: z.record(RegionName, Region).describe('Exactly two, by their names.'),
  active: RegionName.optional().describe(
    'The region that is active before any run has moved the region pointer; default: the first region.',
  ),
  controlStore: z
    .strictObject({
      subscriptionId: SubscriptionId,
      resourceGroup: z.string().min(1),
      storageAccount: z
        .string()
        .regex(/^[a-z0-9]{3,24}$/, 'expected 3 to 24 lower-case letters and digits')
        .describe('3 to 24 lower-case letters and digits.'),
      container: z
        .string()
        .regex(
          /^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/,
          'expected 3 to 63 lower-case letters, digits and single "-"',
        )
        .default('understudy')
        .describe('Made on first use. 3 to 63 lower-case letters, digits and single "-".'),
    })
    .describe('A storage account outside both regions, in a resource group that holds neither workspace.'),
  strategies: Strategies.prefault({}).describe(
    'How ready the standby is, per resource class. platform is at least as hot as any other. This version moves only what is hot-warm.',
  ),
  objectives: Objectives.prefault({}).describe('What each resource class may lose. Reports measure it.'),
  artifacts: Artifacts.prefault({}).describe('What a recovery point carries.'),
  jobs: Jobs.prefault({}).describe('What becomes of interrupted jobs.'),
  configs: z
    .array(ConfigTarget)
    .default([])
    .describe('Config files to rewrite when the platform switches, once every class is verified.'),
  traffic: z
    .strictObject({ frontDoor: FrontDoor.optional() })
    .optional()
    .describe('The front that clients of the endpoints reach: its origins’ weights move at the switch.'),
  probes: z.array(Probe).default([]).describe('What proves that clients reach the standby.'),
  scoring: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      'A request that an endpoint must answer with 200, by the name of the endpoint; default: an empty MLflow request.',
    ),
  escrow: z
    .strictObject({ vaults: z.record(RegionName, VaultUri) })
    .optional()
    .describe(
      'The key vault of each region that keeps the secrets of the other side, by its URI. It may be one and the same.',
    ),
  gates: z
    .array(Gate)
    .default([])
    .describe(
      'Where a move waits for people to decide (understudy approve, decline). Default: a move that nobody watches waits before what cannot be taken back.',
    ),
  reprotect: z
    .strictObject({
      automatic: z
        .boolean()
        .default(true)
        .describe('Whether the region that a move has left becomes a standby by itself (understudy reprotect).'),
      steady: TimeLimit.default('15m').describe('How long it must answer without a break before that.'),
    })
    .prefault({})
    .describe('What follows a completed move, once the region that it has left answers again.'),
  merge: Merge.prefault({}).describe(
    'What becomes, in a failback, of what the region that was left has and the writer lacks or has otherwise. A person may decide otherwise (understudy failback --decide).',
  ),
  notify: z
    .array(Notify)
    .default([])
    .describe(
      'Who is told that a run waits for people, or how it ended, by a POST of JSON: its member text says it in words, as chats show it.',
    ),
  policies: Policies.prefault({}).describe('Time is a policy: how long things may take.'),
});
export type Topology = z.infer<typeof Topology>;
export type TopologyInput = z.input<typeof Topology>;
