/** Data, models and environments: their YAML, and the body that registers a version of each. */
import { z } from 'zod';
import { Text, Texts } from '../fields.ts';
import { compact, type Json, type JsonObject } from '../json.ts';

const Head = {
  $schema: z.string(),
  name: z.string(),
  version: Text,
  description: z.string().optional(),
  tags: Texts.optional(),
  properties: Texts.optional(),
};

export const Data = z.strictObject({
  ...Head,
  type: z.enum(['uri_file', 'uri_folder', 'mltable']).default('uri_folder'),
  path: z.string(),
});
export type Data = z.infer<typeof Data>;

export const Model = z.strictObject({
  ...Head,
  type: z.enum(['custom_model', 'mlflow_model', 'triton_model']).default('custom_model'),
  path: z.string(),
});
export type Model = z.infer<typeof Model>;

export const Environment = z.strictObject({
  ...Head,
  image: z.string().optional(),
  /** A file beside, or its content. */
  conda_file: z.union([z.string(), z.record(z.string(), z.json())]).optional(),
  build: z.strictObject({ path: z.string(), dockerfile_path: z.string().default('Dockerfile') }).optional(),
});
export type Environment = z.infer<typeof Environment>;

function head(asset: {
  description?: string | undefined;
  tags?: Record<string, string> | undefined;
  properties?: Record<string, string> | undefined;
}) {
  return {
    description: asset.description,
    tags: asset.tags ?? {},
    properties: asset.properties ?? {},
    isAnonymous: false,
    isArchived: false,
  };
}

/** `referencedUris`: what the MLTable file names, for an mltable. */
export function toData(data: Data, dataUri: string, referencedUris?: Json): JsonObject {
  return { properties: compact({ ...head(data), dataType: data.type, dataUri, referencedUris }) };
}

export function toModel(model: Model, modelUri: string, flavors?: Json): JsonObject {
  return { properties: compact({ ...head(model), modelType: model.type, modelUri, flavors }) };
}

/** `condaFile` is the file's text; `contextUri` the uploaded build context. */
export function toEnvironment(environment: Environment, condaFile?: string, contextUri?: string): JsonObject {
  return {
    properties: compact({
      ...head(environment),
      osType: 'Linux',
      image: environment.image,
      condaFile,
      build:
        environment.build === undefined || contextUri === undefined
          ? undefined
          : { contextUri, dockerfilePath: environment.build.dockerfile_path },
    }),
  };
}
