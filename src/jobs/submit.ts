/** Puts a successor into the standby, once, and reads it back. */
import { apiVersions, type Arm, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { UnderstudyError, isUnderstudyError } from '../errors/error.ts';
import { workspaceId } from '../topology/sides.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { differences, type Difference } from '../azure/compare.ts';
import { originOf } from './spec/successor-spec.ts';

export interface SubmitSuccessor {
  arm: Arm;
  workspace: WorkspaceRef;
  name: string;
  body: { properties: JsonObject };
  /** What `findSuccessor` found. */
  before: ArmResource | undefined;
  signal: AbortSignal;
}

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
