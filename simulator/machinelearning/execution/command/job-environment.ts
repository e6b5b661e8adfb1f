/**
 * What a job finds in its environment: nothing of this process but how to find programs, then Azure Machine Learning's
 * usual names, then its own.
 */

import { delimiter } from 'node:path';
import type { Cloud, Stored } from '../../../contract/index.ts';
import { numberOf, objectOf, textOf } from '../../bodies/fields.ts';
import { rootOf } from '../../job-life/job-family.ts';

/** Of the machine: where programs are, and what they need to work at all. */
const KEPT = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'SHELL', 'USER'] as const;

export interface Places {
  /** The folder of the job's own files, its home. */
  home: string;
  temporary: string;
  /** Programs that the machine has by another name. */
  programs?: string;
  /** By name: what `${{inputs.x}}` and `${{outputs.x}}` stand for. */
  inputs: Record<string, string>;
  outputs: Record<string, string>;
}

export function environmentOf(cloud: Cloud, job: Stored, places: Places): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    ...(places.programs === undefined ? {} : { PATH: `${places.programs}${delimiter}${process.env.PATH ?? ''}` }),
    HOME: places.home,
    TMPDIR: places.temporary,
    ...azureNames(cloud, job),
    ...prefixed('AZURE_ML_INPUT_', places.inputs),
    ...prefixed('AZURE_ML_OUTPUT_', places.outputs),
    ...distribution(job),
    ...own(job),
  };
}

function azureNames(cloud: Cloud, job: Stored): Record<string, string> {
  const { id, name, properties } = job.resource;
  const [, subscription = '', group = '', workspace = ''] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/.*\/workspaces\/([^/]+)\//i.exec(id) ?? [];
  return {
    AZUREML_RUN_ID: name,
    AZUREML_ROOT_RUN_ID: rootOf(job),
    AZUREML_ARM_SUBSCRIPTION: subscription,
    AZUREML_ARM_RESOURCEGROUP: group,
    AZUREML_ARM_WORKSPACE_NAME: workspace,
    AZUREML_ARM_PROJECT_NAME: textOf(properties.experimentName) ?? '',
    AZUREML_SERVICE_ENDPOINT: job.region === null ? '' : cloud.dataPlane(job.region),
  };
}

/** Whatever it asks for, a job is one process here: the first of one. */
function distribution(job: Stored): Record<string, string> {
  if (textOf(objectOf(job.resource.properties.distribution).distributionType) === undefined) return {};
  return {
    RANK: '0',
    LOCAL_RANK: '0',
    NODE_RANK: '0',
    WORLD_SIZE: '1',
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: '6105',
  };
}

function own(job: Stored): Record<string, string> {
  const declared = Object.entries(objectOf(job.resource.properties.environmentVariables));
  const texts = declared.flatMap(([name, value]) => {
    const text = textOf(value) ?? numberOf(value)?.toString();
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(texts);
}

function prefixed(prefix: string, values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}
