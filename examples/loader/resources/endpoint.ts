/** Managed online endpoints and their deployments. */
import { z } from 'zod';
import { isoDuration, Text, Texts } from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';
import { type References } from '../references.ts';

const AUTH_MODES = { key: 'Key', aml_token: 'AMLToken', aad_token: 'AADToken' } as const;

export const Endpoint = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  description: z.string().optional(),
  auth_mode: z.enum(['key', 'aml_token', 'aad_token']).default('key'),
  location: z.string().optional(),
  traffic: z.record(z.string(), z.number().int().min(0).max(100)).default({}),
  properties: Texts.optional(),
  tags: Texts.optional(),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** The request's body, with the traffic given: a new endpoint has none, for its deployments come after it. */
export function toEndpoint(
  endpoint: Endpoint,
  location: string,
  traffic: Record<string, number>,
): JsonObject {
  return compact({
    location: endpoint.location ?? location,
    tags: endpoint.tags,
    identity: { type: 'SystemAssigned' },
    properties: compact({
      description: endpoint.description,
      authMode: AUTH_MODES[endpoint.auth_mode],
      properties: endpoint.properties ?? {},
      traffic,
      mirrorTraffic: {},
    }),
  });
}

const Probe = z.strictObject({
  initial_delay: z.number().optional(),
  period: z.number().optional(),
  timeout: z.number().optional(),
  success_threshold: z.number().int().optional(),
  failure_threshold: z.number().int().optional(),
});

export const Deployment = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  endpoint_name: z.string(),
  type: z.literal('managed').optional(),
  description: z.string().optional(),
  model: z.string(),
  code_configuration: z.strictObject({ code: z.string(), scoring_script: z.string() }).optional(),
  environment: z.string().optional(),
  environment_variables: Texts.optional(),
  instance_type: z.string(),
  instance_count: z.number().int().positive().default(1),
  app_insights_enabled: z.boolean().default(false),
  request_settings: z
    .strictObject({
      request_timeout_ms: z.number().optional(),
      max_concurrent_requests_per_instance: z.number().int().optional(),
      max_queue_wait_ms: z.number().optional(),
    })
    .optional(),
  liveness_probe: Probe.optional(),
  readiness_probe: Probe.optional(),
  properties: z.record(z.string(), Text).optional(),
  tags: Texts.optional(),
});
export type Deployment = z.infer<typeof Deployment>;

export async function toDeployment(
  deployment: Deployment,
  location: string,
  from: string,
  references: References,
): Promise<JsonObject> {
  const code = deployment.code_configuration;
  return compact({
    location,
    tags: deployment.tags,
    sku: { name: 'Default', capacity: deployment.instance_count },
    properties: compact({
      endpointComputeType: 'Managed',
      description: deployment.description,
      model: await references.model(deployment.model, from),
      codeConfiguration:
        code === undefined
          ? undefined
          : { codeId: await references.code(code.code, from), scoringScript: code.scoring_script },
      environmentId:
        deployment.environment === undefined
          ? undefined
          : await references.environment(deployment.environment, from),
      environmentVariables: deployment.environment_variables,
      instanceType: deployment.instance_type,
      appInsightsEnabled: deployment.app_insights_enabled,
      requestSettings: toRequestSettings(deployment.request_settings),
      livenessProbe: toProbe(deployment.liveness_probe),
      readinessProbe: toProbe(deployment.readiness_probe),
      properties: deployment.properties ?? {},
    }),
  });
}

function toRequestSettings(settings: Deployment['request_settings']): JsonObject | undefined {
  if (settings === undefined) return undefined;
  const duration = (ms: number | undefined) => (ms === undefined ? undefined : isoDuration(ms / 1000));
  return compact({
    requestTimeout: duration(settings.request_timeout_ms),
    maxConcurrentRequestsPerInstance: settings.max_concurrent_requests_per_instance,
    maxQueueWait: duration(settings.max_queue_wait_ms),
  });
}

function toProbe(probe: z.infer<typeof Probe> | undefined): JsonObject | undefined {
  if (probe === undefined) return undefined;
  const duration = (seconds: number | undefined) =>
    seconds === undefined ? undefined : isoDuration(seconds);
  return compact({
    initialDelay: duration(probe.initial_delay),
    period: duration(probe.period),
    timeout: duration(probe.timeout),
    successThreshold: probe.success_threshold,
    failureThreshold: probe.failure_threshold,
  });
}
