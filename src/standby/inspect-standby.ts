/**
 * Inspects what a standby needs in order to serve, before anything depends on it: its workspace, its storage, the
 * secrets in escrow, and what it shares with the other side. Only reads, and needs nothing that only the other region
 * knows.
 * A standby that does not answer is a warning: the steps retry later. A definite refusal is `refused`.
 */
import { nameOfId, regionName } from '../workspace/workspace.ts';
import { apiVersions } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';
import { toSeconds } from '../topology/duration.ts';
import { workspaceId } from '../topology/sides.ts';
import { resourceClasses } from '../topology/words.ts';
import type { StandbyFinding } from './findings.ts';
import { mendOneDefault, oneDefaultReason } from '../workspace/find-sharing.ts';
import { answerOf, findingOf, reachBlobs, unlessAnswered, type Look, type InspectStandby } from './inspection.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkShared } from './check-shared.ts';

/** Returns what is wrong with the standby. */
export async function inspectStandby(request: InspectStandby): Promise<StandbyFinding[]> {
  const { standbyDeadline } = request.topology.policies;
  const look: Look = { ...request, deadline: AbortSignal.timeout(toSeconds(standbyDeadline) * 1000) };
  const found = await Promise.all([
    lookAtWorkspace(look),
    checkSecrets(look),
    ...look.sealed.sharing.things.map((thing) => checkShared(look, thing)),
  ]);
  return found.flat();
}

async function lookAtWorkspace(look: Look): Promise<StandbyFinding[]> {
  const { azure, to, sealed, hasTemplate } = look;
  const { name } = to.workspace;
  const answer = await answerOf(look, (signal) =>
    azure.arm.get(workspaceId(to.workspace), apiVersions.machineLearning, { signal }),
  );
  const finding = findingOf({ kind: 'workspace', name, classes: [...resourceClasses], acceptable: false });
  if (answer.state === 'missing') {
    const what = `workspace "${name}" of ${to.region} does not exist, and no template is declared that makes it`;
    return hasTemplate ? [] : [finding('refused', what)];
  }
  if (answer.state !== 'answered') {
    const known = await lookAtStorage(look, sealed.sharing.standbyStorage?.id ?? sealed.replica.accountId);
    return [...unlessAnswered(look, answer, finding, `workspace "${name}" of ${to.region}`), ...known];
  }
  const own = textAt(answer.value.properties, 'storageAccount');
  if (own === undefined) return [finding('refused', `workspace "${name}" of ${to.region} has no storage account`)];
  if (sameName(own, sealed.workspace.associated['storageAccount']))
    return [finding('refused', `${oneDefaultReason(look.from.region, to.region, own)}. ${mendOneDefault}`)];
  return lookAtStorage(look, own);
}

/** Every blob is restored into the standby's own account. */
async function lookAtStorage(look: Look, id: string): Promise<StandbyFinding[]> {
  const { azure, from, to, sealed } = look;
  const name = nameOfId(id);
  const what = `the standby's own storage account "${name}"`;
  const finding = findingOf({ kind: 'storage', name, classes: [...resourceClasses], acceptable: false });
  const { standbyStorage } = sealed.sharing;
  const [answer, described] = await Promise.all([
    answerOf(look, (signal) => reachBlobs(azure, id, signal)),
    answerOf(look, (signal) => azure.arm.get(id, apiVersions.storage, { signal })),
  ]);
  const location =
    described.state === 'answered'
      ? regionName(described.value.location ?? '')
      : sameName(standbyStorage?.id, id)
        ? standbyStorage?.location
        : undefined;
  const isThere = location === from.region;
  if (answer.state === 'answered')
    return isThere ? [finding('warning', `${what} is in ${from.region}, and goes with it`)] : [];
  if (answer.state === 'silent' && isThere)
    return [finding('refused', `${what} is in ${from.region}, and does not answer: ${answer.why}`)];
  if (answer.state === 'missing') {
    const gone = `${what} of ${to.region} is gone: ${answer.why}`;
    return [finding(look.hasTemplate ? 'warning' : 'refused', gone)];
  }
  return unlessAnswered(look, answer, finding, what);
}
