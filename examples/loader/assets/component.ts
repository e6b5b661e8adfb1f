/** A command component: its `componentSpec` is its YAML again, with the references in it resolved. */
import { z } from 'zod';
import {
  Distribution,
  InputMode,
  JobResources,
  Literal,
  literalText,
  OutputMode,
  Text,
  Texts,
} from '../fields.ts';
import { compact, type Json, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

const AssetTypes = [
  'uri_file',
  'uri_folder',
  'mltable',
  'custom_model',
  'mlflow_model',
  'triton_model',
] as const;

const ComponentInput = z.strictObject({
  type: z.enum([...AssetTypes, 'number', 'integer', 'string', 'boolean']),
  description: z.string().optional(),
  optional: z.boolean().optional(),
  default: Literal.optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  enum: z.array(Text).optional(),
  mode: InputMode.optional(),
});
const ComponentOutput = z.strictObject({
  type: z.enum(AssetTypes),
  description: z.string().optional(),
  mode: OutputMode.optional(),
});

export const CommandComponent = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  version: Text.optional(),
  type: z.literal('command').default('command'),
  display_name: z.string().optional(),
  description: z.string().optional(),
  is_deterministic: z.boolean().default(true),
  inputs: z.record(z.string(), ComponentInput).optional(),
  outputs: z.record(z.string(), ComponentOutput).optional(),
  code: z.string().optional(),
  command: z.string(),
  environment: z.string(),
  resources: JobResources.optional(),
  distribution: Distribution.optional(),
  tags: Texts.optional(),
});
export type CommandComponent = z.infer<typeof CommandComponent>;

/** The spec that is registered. `source` tells the service where it was written: in a file of its own, or in a job. */
export async function toComponentSpec(
  component: CommandComponent,
  from: string,
  references: References,
  source: 'YAML.COMPONENT' | 'YAML.JOB' = 'YAML.COMPONENT',
): Promise<JsonObject> {
  return compact({
    _source: source,
    $schema: component.$schema,
    name: component.name,
    version: component.version,
    type: component.type,
    display_name: component.display_name,
    description: component.description,
    is_deterministic: component.is_deterministic,
    inputs: toSpecInputs(component.inputs),
    outputs:
      component.outputs === undefined ? undefined : mapValues(component.outputs, (output) => compact(output)),
    code: component.code === undefined ? undefined : `azureml:${await references.code(component.code, from)}`,
    command: component.command,
    environment: `azureml:${await references.environment(component.environment, from)}`,
    resources: component.resources === undefined ? undefined : compact(component.resources),
    distribution: component.distribution === undefined ? undefined : compact(component.distribution),
    tags: component.tags,
  });
}

/** Defaults and limits are text in a spec: of a `number` always with its fraction, as Python writes a float. */
function toSpecInputs(inputs: CommandComponent['inputs']): JsonObject | undefined {
  if (inputs === undefined) return undefined;
  return mapValues(inputs, (input) => {
    const text = (value: Literal | undefined) => {
      if (value === undefined) return undefined;
      if (input.type === 'number' && typeof value === 'number' && Number.isInteger(value))
        return `${value}.0`;
      return literalText(value);
    };
    return compact({ ...input, default: text(input.default), min: text(input.min), max: text(input.max) });
  });
}

export function mapValues<Value>(table: Record<string, Value>, convert: (value: Value) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]): [string, Json] => [name, convert(value)]),
  );
}
