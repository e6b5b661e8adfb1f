/** The fields that many kinds of YAML share, and what they become in a request. */
import { z } from 'zod';
import { compact, type Json, type JsonObject } from './json.ts';
import { type References } from './references.ts';

/** A tag's or variable's value: YAML may have read it as a number. */
export const Text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
export const Texts = z.record(z.string(), Text);

export const Literal = z.union([z.string(), z.number(), z.boolean()]);
export type Literal = z.infer<typeof Literal>;

const AssetType = z.enum([
  'uri_file',
  'uri_folder',
  'mltable',
  'custom_model',
  'mlflow_model',
  'triton_model',
]);
const INPUT_MODES = {
  ro_mount: 'ReadOnlyMount',
  rw_mount: 'ReadWriteMount',
  download: 'Download',
  direct: 'Direct',
  eval_mount: 'EvalMount',
  eval_download: 'EvalDownload',
} as const;
const OUTPUT_MODES = {
  rw_mount: 'ReadWriteMount',
  mount: 'ReadWriteMount',
  upload: 'Upload',
  direct: 'Direct',
} as const;
export const InputMode = z.enum(keysOf(INPUT_MODES));
export const OutputMode = z.enum(keysOf(OUTPUT_MODES));

export const AssetInput = z.strictObject({
  type: AssetType.default('uri_folder'),
  path: z.string(),
  mode: InputMode.optional(),
  description: z.string().optional(),
});
export type AssetInput = z.infer<typeof AssetInput>;
export const Input = z.union([Literal, AssetInput]);
export const Inputs = z.record(z.string(), Input);

export const Output = z.strictObject({
  type: AssetType.default('uri_folder'),
  path: z.string().optional(),
  mode: OutputMode.optional(),
  description: z.string().optional(),
});
export type Output = z.infer<typeof Output>;
export const Outputs = z.record(z.string(), Output);

export function keysOf<Key extends string>(table: Record<Key, unknown>): [Key, ...Key[]] {
  return Object.keys(table) as [Key, ...Key[]];
}

export const inputMode = (mode: z.infer<typeof InputMode> | undefined) =>
  mode === undefined ? undefined : INPUT_MODES[mode];
export const outputMode = (mode: z.infer<typeof OutputMode> | undefined) =>
  mode === undefined ? undefined : OUTPUT_MODES[mode];

/** A literal as the service keeps it: text, truth values as Python writes them. */
export function literalText(value: Literal): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

export async function toInput(
  input: z.infer<typeof Input>,
  from: string,
  references: References,
): Promise<JsonObject> {
  if (typeof input !== 'object') return { jobInputType: 'literal', value: literalText(input) };
  return compact({
    jobInputType: input.type,
    uri: await references.inputUri(input.type, input.path, from),
    mode: inputMode(input.mode),
    description: input.description,
  });
}

export async function toInputs(
  inputs: z.infer<typeof Inputs> | undefined,
  from: string,
  references: References,
): Promise<JsonObject | undefined> {
  if (inputs === undefined) return undefined;
  const converted: JsonObject = {};
  for (const [name, input] of Object.entries(inputs))
    converted[name] = await toInput(input, from, references);
  return converted;
}

export function toOutputs(outputs: z.infer<typeof Outputs> | undefined): JsonObject | undefined {
  if (outputs === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]): [string, Json] => [
      name,
      compact({
        jobOutputType: output.type,
        uri: output.path,
        mode: outputMode(output.mode),
        description: output.description,
      }),
    ]),
  );
}

/** Seconds as an ISO 8601 duration: 86400 is 'P1D', 5400 'PT1H30M'. */
export function isoDuration(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Math.round((seconds % 60) * 1000) / 1000;
  const time = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 ? `${rest}S` : ''}`;
  if (days === 0 && time === '') return 'PT0S';
  return `P${days > 0 ? `${days}D` : ''}${time === '' ? '' : `T${time}`}`;
}

const IDENTITIES = {
  managed: 'Managed',
  managed_identity: 'Managed',
  user_identity: 'UserIdentity',
  aml_token: 'AMLToken',
} as const;
export const JobIdentity = z.strictObject({
  type: z.enum(keysOf(IDENTITIES)),
  client_id: z.string().optional(),
  object_id: z.string().optional(),
});

export function toJobIdentity(identity: z.infer<typeof JobIdentity> | undefined): JsonObject | undefined {
  if (identity === undefined) return undefined;
  return compact({
    identityType: IDENTITIES[identity.type],
    clientId: identity.client_id,
    objectId: identity.object_id,
  });
}

export const JobResources = z.strictObject({
  instance_count: z.number().int().positive().optional(),
  instance_type: z.string().optional(),
  shm_size: z.string().optional(),
  docker_args: z.string().optional(),
  properties: z.record(z.string(), z.json()).optional(),
});

export function toResources(resources: z.infer<typeof JobResources> | undefined): JsonObject | undefined {
  if (resources === undefined) return undefined;
  return compact({
    instanceCount: resources.instance_count,
    instanceType: resources.instance_type,
    shmSize: resources.shm_size,
    dockerArgs: resources.docker_args,
    properties: resources.properties ?? {},
  });
}

export const Distribution = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('pytorch'), process_count_per_instance: z.number().int().optional() }),
  z.strictObject({ type: z.literal('mpi'), process_count_per_instance: z.number().int().optional() }),
  z.strictObject({
    type: z.literal('tensorflow'),
    parameter_server_count: z.number().int().optional(),
    worker_count: z.number().int().optional(),
  }),
]);

export function toDistribution(
  distribution: z.infer<typeof Distribution> | undefined,
): JsonObject | undefined {
  if (distribution === undefined) return undefined;
  if (distribution.type === 'tensorflow') {
    return compact({
      distributionType: 'TensorFlow',
      parameterServerCount: distribution.parameter_server_count ?? 0,
      workerCount: distribution.worker_count,
    });
  }
  return compact({
    distributionType: distribution.type === 'mpi' ? 'Mpi' : 'PyTorch',
    processCountPerInstance: distribution.process_count_per_instance,
  });
}

const SERVICE_TYPES = {
  jupyter_lab: 'JupyterLab',
  vs_code: 'VSCode',
  tensor_board: 'TensorBoard',
  ssh: 'SSH',
} as const;

export const Services = z.record(
  z.string(),
  z.strictObject({
    type: z.enum(keysOf(SERVICE_TYPES)),
    log_dir: z.string().optional(),
    ssh_public_keys: z.string().optional(),
    nodes: z.literal('all').optional(),
  }),
);

export function toServices(services: z.infer<typeof Services> | undefined): JsonObject | undefined {
  if (services === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(services).map(([name, service]): [string, Json] => {
      const properties = compact({ logDir: service.log_dir, sshPublicKeys: service.ssh_public_keys });
      return [
        name,
        compact({
          jobServiceType: SERVICE_TYPES[service.type],
          properties: Object.keys(properties).length === 0 ? undefined : properties,
          nodes: service.nodes === 'all' ? { nodesValueType: 'All' } : undefined,
        }),
      ];
    }),
  );
}

const TIERS = { spot: 'Spot', basic: 'Basic', standard: 'Standard', premium: 'Premium' } as const;
export const QueueSettings = z.strictObject({ job_tier: z.enum(keysOf(TIERS)) });

export function toQueueSettings(settings: z.infer<typeof QueueSettings> | undefined): JsonObject | undefined {
  return settings === undefined ? undefined : { jobTier: TIERS[settings.job_tier] };
}

/** What every job's YAML may say, apart from what it does. */
export const JobHead = {
  $schema: z.string(),
  name: z.string().optional(),
  display_name: z.string().optional(),
  description: z.string().optional(),
  experiment_name: z.string().optional(),
  tags: Texts.optional(),
  properties: Texts.optional(),
};

interface Head {
  display_name?: string | undefined;
  description?: string | undefined;
  experiment_name?: string | undefined;
  tags?: Record<string, string> | undefined;
  properties?: Record<string, string> | undefined;
}

export function toJobHead(head: Head): JsonObject {
  return compact({
    displayName: head.display_name,
    description: head.description,
    experimentName: head.experiment_name ?? 'Default',
    tags: head.tags ?? {},
    properties: head.properties ?? {},
    isArchived: false,
  });
}
