/** Checks whether the standby's identities have a role on a shared account that its datastores use without a key. */
import { principalsWithin } from '../workspace/identities.ts';
import { apiVersions } from '../azure/azure.ts';
import { textAt } from '../azure/body/json.ts';
import { workspaceId } from '../topology/sides.ts';
import { answerOf, findingOf, type Look } from './inspection.ts';
import type { StandbyFinding } from './findings.ts';
import { nameOfThing, type SharedThing } from '../workspace/sharing.ts';

/** Returns a warning at most: people may have roles of their own. */
export async function checkRoles({ azure, to, ...look }: Look, thing: SharedThing): Promise<StandbyFinding[]> {
  const { id, identityBased } = thing;
  if (id === undefined || identityBased === undefined) return [];
  const { arm } = azure;
  const workspace = workspaceId(to.workspace);
  const answer = await answerOf(look, async (signal) => {
    const found = await arm.get(workspace, apiVersions.machineLearning, { signal });
    const principals = await principalsWithin(azure, found, { signal });
    const roles = arm.list(`${id}/providers/Microsoft.Authorization/roleAssignments`, apiVersions.roleAssignments, {
      signal,
    });
    for await (const { properties } of roles) if (principals.has(textAt(properties, 'principalId') ?? '')) return true;
    return false;
  });
  if (answer.state !== 'answered' || answer.value) return [];
  const finding = findingOf({ kind: 'roles', name: thing.name, classes: thing.classes, acceptable: true });
  const datastores = identityBased.map((name) => `"${name}"`).join(', ');
  return [
    finding(
      'warning',
      `no identity of ${to.region}'s workspace or computes has a role on ${nameOfThing(thing)}: its datastore ${datastores} has no key either`,
    ),
  ];
}
