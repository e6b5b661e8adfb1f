/**
 * The topology: the one declared file, `understudy.yaml`. This schema is its only definition; types, the JSON Schema for
 * editors and the reference in docs/ derive from it. Limits of names are Azure's (workspace 3–33 characters, storage
 * account 3–24 lower-case letters and digits).
 */
import { z } from 'zod';
import { durationPattern } from './duration.ts';
import { resourceClasses, strategies } from './words.ts';

const Duration = z
  .string()
  .regex(durationPattern, 'expected a duration such as "90s", "15m", "2h" or "1d"')
  .meta({ description: 'A whole number and a unit: s, m, h or d.' });

const RegionName = z
  .string()
  .regex(/^[a-z][a-z0-9]{2,30}$/, 'expected the name of an Azure region in lower case, such as "eastus"');

const Glob = z.string().min(1);

export const WorkspaceRef = z
  .strictObject({
    subscriptionId: z.string().min(1).max(64),
    resourceGroup: z.string().min(1).max(90),
    name: z
      .string()
      .min(3)
      .max(33)
      .regex(
        /^[a-zA-Z0-9][a-zA-Z0-9_-]*$/,
        'expected letters, digits, "-" and "_", starting with a letter or digit',
      ),
  })
  .meta({ description: 'An Azure Machine Learning workspace.' });
export type WorkspaceRef = z.infer<typeof WorkspaceRef>;

export const Region = z.strictObject({
  workspace: WorkspaceRef,
  template: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .meta({ description: 'A Bicep file, or an ARM template in JSON; relative to the topology.' }),
      parameters: z.string().min(1).optional().meta({ description: 'An ARM parameters file in JSON.' }),
    })
    .optional()
    .meta({ description: 'What builds the workspace and its resources in this region.' }),
});
export type Region = z.infer<typeof Region>;

const ClassObjective = z.strictObject({
  rto: Duration.optional().meta({ description: 'How long the class may be without service.' }),
  rpo: Duration.optional().meta({ description: 'How much work of the class may be lost.' }),
});

const perClass = <T extends z.ZodType>(value: T) =>
  z.strictObject(
    Object.fromEntries(resourceClasses.map((name) => [name, value])) as Record<
      (typeof resourceClasses)[number],
      T
    >,
  );

const Strategies = perClass(z.enum(strategies).default('hot-warm'));
const Objectives = perClass(ClassObjective.optional());

export const Artifacts = z.strictObject({
  include: z.array(Glob).default(['**']).meta({
    description:
      'Which assets to carry, as globs over "models/NAME/VERSION", "data/…", "environments/…", "components/…", "codes/…".',
  }),
  exclude: z.array(Glob).default([]),
  versions: z
    .int()
    .min(1)
    .default(20)
    .meta({ description: 'How many newest versions of each asset to carry.' }),
  paths: z
    .array(z.strictObject({ datastore: z.string(), path: z.string() }))
    .default([])
    .meta({
      description: 'Further folders of datastores to carry, which no asset names.',
    }),
  concurrency: z.int().min(1).max(256).default(16),
  attempts: z.int().min(1).max(20).default(3).meta({
    description: 'How often an asset that changes while it is copied is tried before it is sealed as fuzzy.',
  }),
});

export const Jobs = z.strictObject({
  priority: z.array(z.string()).default([]).meta({
    description: 'Values of the tag "priority", most urgent first; jobs without one come last.',
  }),
  compute: z.record(z.string(), z.string()).default({}).meta({
    description: 'Compute names that differ in the standby: active name → standby name.',
  }),
  interactive: z.enum(['manual', 'skip']).default('manual'),
  checkpoint: z
    .strictObject({
      output: z.string().default('checkpoints').meta({ description: 'The output that holds checkpoints.' }),
      input: z
        .string()
        .default('resume_from')
        .meta({ description: 'The input that takes the last checkpoint.' }),
    })
    .prefault({}),
  sample: z.int().min(1).optional(),
});

/** Of the host, not of whoever reads the topology. */
const HostPath = z.string().regex(/^(\/|[A-Za-z]:[\\/])/, 'expected an absolute path on the host');

export const ConfigTarget = z
  .union([
    z.strictObject({
      host: z.string().min(1),
      git: z.string().min(1),
      files: z.array(Glob).min(1),
      branch: z.string().optional(),
    }),
    z.strictObject({ host: z.string().min(1), file: HostPath }),
  ])
  .meta({
    description:
      'Config files to rewrite: files in a Git working copy on a named host, or one file on a named host.',
  });
export type ConfigTarget = z.infer<typeof ConfigTarget>;

export const Probe = z.strictObject({
  http: z.url(),
  method: z.enum(['GET', 'POST', 'HEAD']).default('GET'),
  body: z.unknown().optional(),
  expect: z.int().min(100).max(599).default(200),
  class: z.enum(resourceClasses).default('inference'),
});
export type Probe = z.infer<typeof Probe>;

export const FrontDoor = z.strictObject({
  subscriptionId: z.string().min(1),
  resourceGroup: z.string().min(1),
  profile: z.string().min(1),
  originGroup: z.string().min(1),
  origins: z.record(RegionName, z.string().min(1)),
});

export const Policies = z.strictObject({
  leaseTtl: Duration.default('30s').meta({ description: 'How long the writer lease lives without renewal.' }),
  clockSkew: Duration.default('5s').meta({ description: 'What a takeover waits beyond the lease.' }),
  requestTimeout: Duration.default('10s').meta({ description: 'How long one request to Azure may take.' }),
  fenceDeadline: Duration.default('20s').meta({
    description: 'How long the old side is tried before the rest is owed.',
  }),
  probeDeadline: Duration.default('5m').meta({ description: 'How long a probe may take to pass.' }),
  provisionDeadline: Duration.default('1h'),
  jobBatch: z.int().min(1).max(1000).default(50),
});

export const Topology = z.strictObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .min(1)
    .max(40)
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and "-"'),
  regions: z.record(RegionName, Region),
  active: RegionName.optional().meta({
    description:
      'The region that is active before any run has moved the region pointer; default: the first region.',
  }),
  controlStore: z
    .strictObject({
      subscriptionId: z.string().min(1),
      resourceGroup: z.string().min(1),
      storageAccount: z.string().regex(/^[a-z0-9]{3,24}$/, 'expected 3 to 24 lower-case letters and digits'),
      container: z
        .string()
        .regex(
          /^[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]$/,
          'expected 3 to 63 lower-case letters, digits and single "-"',
        )
        .default('understudy'),
    })
    .meta({ description: 'A storage account outside both regions.' }),
  strategies: Strategies.prefault({}),
  objectives: Objectives.prefault({}),
  artifacts: Artifacts.prefault({}),
  jobs: Jobs.prefault({}),
  configs: z.array(ConfigTarget).default([]),
  traffic: z.strictObject({ frontDoor: FrontDoor.optional() }).optional(),
  probes: z.array(Probe).default([]),
  scoring: z.record(z.string(), z.unknown()).default({}).meta({
    description:
      'A request that an endpoint must answer with 200, by the name of the endpoint; default: an empty MLflow request.',
  }),
  escrow: z
    .strictObject({ vaults: z.record(RegionName, z.url()) })
    .optional()
    .meta({
      description: 'The key vault of each region that keeps the secrets of the other side, by its URI.',
    }),
  policies: Policies.prefault({}),
});
export type Topology = z.infer<typeof Topology>;
export type TopologyInput = z.input<typeof Topology>;
