/** Puts a successor into the standby, once, and reads it back. */
import { z } from 'zod';
import { apiVersions, type Arm, type ArmResource, type Json, type JsonObject } from '../azure/azure.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { workspaceId } from '../topology/sides.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { isObject } from '../azure/json.ts';
import { originOf } from './rewrite-spec.ts';

export interface SubmitSuccessor {
  arm: Arm;
  workspace: WorkspaceRef;
  name: string;
  body: { properties: JsonObject };
  /** What `findSuccessor` found. */
  before: ArmResource | undefined;
  signal: AbortSignal;
}

export const Difference = z.strictObject({ place: z.string(), sent: z.string(), held: z.string() });
export type Difference = z.infer<typeof Difference>;

export interface Submitted {
  /** It was there before: an earlier attempt, whose answer was lost, or an earlier run made it. */
  already: boolean;
  /** What the standby holds otherwise than it was sent. */
  differences: Difference[];
}

/** The job of this name in the standby, if an earlier attempt or run has put it there. */
export function findSuccessor({
  arm,
  workspace,
  name,
  signal,
}: Pick<SubmitSuccessor, 'arm' | 'workspace' | 'name' | 'signal'>): Promise<ArmResource | undefined> {
  return arm.find(`${workspaceId(workspace)}/jobs/${name}`, apiVersions.machineLearning, { signal });
}

/**
 * PUTs the job if it was not there, and reads it back whatever the answer was: a 409 or a lost answer may mean that it is
 * there. Errors: AzureUnavailable (try again); AzureError where Azure refuses it, or holds another job by this name.
 */
export async function submitSuccessor(request: SubmitSuccessor): Promise<Submitted> {
  const { arm, workspace, name, body, before, signal } = request;
  const path = `${workspaceId(workspace)}/jobs/${name}`;
  let refusal: unknown;
  if (!before) {
    try {
      await arm.put(path, apiVersions.machineLearning, body, { signal });
    } catch (error) {
      if (!isUnderstudyError(error, 'AzureError') && !isUnderstudyError(error, 'AzureUnavailable'))
        throw error;
      refusal = error;
    }
  }
  const held = before ?? (await findSuccessor(request));
  if (!held) {
    throw (
      refusal ??
      new UnderstudyError('AzureUnavailable', `job "${name}" was accepted and is not yet to be read`, {
        place: path,
      })
    );
  }
  checkOrigin(held, name, body, path);
  return {
    already: before !== undefined,
    differences: differences(body.properties, held.properties, 'properties'),
  };
}

function checkOrigin(held: ArmResource, name: string, body: { properties: JsonObject }, path: string): void {
  const expected = originOf({ id: path, name, type: '', properties: body.properties });
  const actual = originOf(held);
  if (expected?.lineageRoot === actual?.lineageRoot && expected?.hop === actual?.hop) return;
  throw new UnderstudyError(
    'AzureError',
    `the standby has a job "${name}" already that is not the successor of "${expected?.lineageRoot}"`,
    {
      place: path,
      next: 'Find out who made it, and delete it once it has finished.',
    },
  );
}

/** Fields that were sent and are held otherwise; what Azure adds is no difference, and neither is an empty value left out. */
export function differences(sent: Json, held: Json | undefined, place: string): Difference[] {
  if (isEmpty(sent) && (held === undefined || isEmpty(held))) return [];
  if (Array.isArray(sent) && Array.isArray(held) && sent.length === held.length) {
    return sent.flatMap((each, index) => differences(each, held[index], `${place}[${index}]`));
  }
  if (isObject(sent) && isObject(held)) {
    return Object.entries(sent).flatMap(([key, each]) => differences(each, held[key], `${place}.${key}`));
  }
  if (sent === held || sameId(sent, held)) return [];
  return [{ place, sent: show(sent), held: show(held) }];
}

function isEmpty(value: Json): boolean {
  return value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Azure answers ids in its own spelling. */
function sameId(sent: Json, held: Json | undefined): boolean {
  if (typeof sent !== 'string' || typeof held !== 'string') return false;
  return /^(azureml:)?\/{0,2}\/?subscriptions\//i.test(sent) && sent.toLowerCase() === held.toLowerCase();
}

/** Kind and size only: a value may be a secret. */
function show(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isObject(value)
    ? `an object with ${Object.keys(value).join(', ') || 'no keys'}`
    : JSON.stringify(value);
}
