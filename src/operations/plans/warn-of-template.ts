/** What the template of the region that takes over would remove from existing resources: shown before it does. */
import { foretell } from '../../provision/what-if.ts';
import { sideOf } from '../../topology/sides.ts';
import type { Azure } from '../../azure/azure.ts';
import type { Bundle } from '../../run/bundle.ts';
import type { Topology } from '../../topology/topology.ts';

/** One line each; none without a template. Does not block a move. */
export async function warnOfTemplate(
  { azure, topology, templates }: { azure: Azure; topology: Topology; templates?: Bundle['templates'] },
  region: string,
): Promise<string[]> {
  const declared = templates?.[region];
  if (!declared) return [];
  const { workspace } = sideOf(topology, region);
  const { signal } = new AbortController();
  const foretold = await foretell({ azure, topology, workspace, declared, signal });
  if ('unknown' in foretold)
    return [`whether the template takes anything from what stands in ${region} is not known: ${foretold.unknown}`];
  return foretold.takes.map((each) => `${declared.source} takes away what it does not declare: ${each}`);
}
