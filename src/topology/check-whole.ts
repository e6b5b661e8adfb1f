/** Checks how the fields of a topology fit together, which a schema of single fields cannot. */
import { checkGates } from './check-gates.ts';
import type { FieldProblem } from './describe-issue.ts';
import { didYouMean } from './nearest.ts';
import type { Topology } from './topology.ts';
import { resourceClasses } from './words.ts';

/** Returns everything that does not fit together. Empty if all of it does. */
export function checkWhole(topology: Topology): FieldProblem[] {
  const names = Object.keys(topology.regions);
  return [
    ...checkRegions(topology, names),
    ...checkWorkspaces(topology),
    ...checkControlStore(topology),
    ...checkRegionNames(topology, names),
    ...checkStrategies(topology),
    ...checkGates(topology),
    ...checkPriority(topology),
  ];
}

/** A value has one rank. */
function checkPriority({ jobs: { priority } }: Topology): FieldProblem[] {
  return priority.flatMap((value, index) => {
    const first = priority.indexOf(value);
    const message = `expected each value once, got "${value}", which jobs.priority[${first}] is already`;
    return first < index ? [{ path: ['jobs', 'priority', index], message }] : [];
  });
}

function checkRegions({ active }: Topology, names: string[]): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (names.length !== 2) {
    const message = `expected exactly two regions, got ${names.length} (${names.join(', ')})`;
    problems.push({ path: ['regions'], message });
  }
  if (active !== undefined && !names.includes(active))
    problems.push({ path: ['active'], message: noSuchRegion(active, names) });
  return problems;
}

function checkWorkspaces({ regions }: Topology): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Map<string, string>();
  for (const [region, { workspace }] of Object.entries(regions)) {
    const key = `${workspace.subscriptionId}/${workspace.resourceGroup}/${workspace.name}`.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      problems.push({
        path: ['regions', region, 'workspace'],
        message: `expected a workspace of its own, got "${workspace.name}", which region "${other}" has already`,
      });
    }
    seen.set(key, region);
  }
  return problems;
}

/**
 * ARM keeps the metadata of a resource group in the group's own region, and a group is deleted as a whole. The control
 * store must outlive both workspaces, so it must not be in either one's group. Either region may become the active one.
 */
function checkControlStore({ controlStore, regions }: Topology): FieldProblem[] {
  const groupOf = (place: { subscriptionId: string; resourceGroup: string }) =>
    `${place.subscriptionId}/${place.resourceGroup}`.toLowerCase();
  const shared = Object.entries(regions).find(([, { workspace }]) => groupOf(workspace) === groupOf(controlStore));
  if (shared === undefined) return [];
  const message =
    `expected a resource group of its own, outside both regions, got "${controlStore.resourceGroup}", which holds the workspace ` +
    `of "${shared[0]}": the control store would be lost with it`;
  return [{ path: ['controlStore', 'resourceGroup'], message }];
}

/**
 * Wherever something is declared for one region, it must be declared for both, and for no other: failback needs it too.
 * Origins must differ. One vault may serve both regions, since Azure has a copy of it elsewhere.
 */
function checkRegionNames(topology: Topology, names: string[]): FieldProblem[] {
  const places: [PropertyKey[], Record<string, unknown> | undefined, 'two' | 'any'][] = [
    [['traffic', 'frontDoor', 'origins'], topology.traffic?.frontDoor?.origins, 'two'],
    [['escrow', 'vaults'], topology.escrow?.vaults, 'any'],
  ];
  return places.flatMap(([path, record, wanted]) =>
    record === undefined ? [] : checkPerRegion(path, record, names, wanted),
  );
}

function checkPerRegion(
  path: PropertyKey[],
  record: Record<string, unknown>,
  names: string[],
  wanted: 'two' | 'any',
): FieldProblem[] {
  const given = Object.keys(record);
  const foreign = given.filter((name) => !names.includes(name));
  if (foreign.length > 0) {
    return foreign.map((name) => ({
      path: [...path, name],
      message: noSuchRegion(name, names),
    }));
  }
  const missing = names.filter((name) => !given.includes(name));
  if (missing.length > 0)
    return missing.map((name) => ({ path, message: `expected one for each region, got none for "${name}"` }));
  if (wanted === 'any') return [];
  const values = given.map((name) => String(record[name]).toLowerCase().replace(/\/$/, ''));
  if (new Set(values).size === values.length) return [];
  return [{ path, message: `expected a different one for each region, got "${values[0] ?? ''}" for both` }];
}

/** Strategies that there is a plan for. Checked here, so that it is not found during a failover. */
const offered: readonly string[] = ['hot-warm'];

/** `platform` must be at least as hot as any other class, because the other classes run on it. */
function checkStrategies({ strategies }: Topology): FieldProblem[] {
  const heat = { 'hot-cold': 0, 'hot-warm': 1, 'hot-hot': 2 } as const;
  return resourceClasses.flatMap((name) => {
    const path = ['strategies', name];
    if (heat[strategies[name]] > heat[strategies.platform])
      return {
        path,
        message: `expected at most "${strategies.platform}", the strategy of platform, got "${strategies[name]}"`,
      };
    if (offered.includes(strategies[name])) return [];
    return {
      path,
      message: `expected "hot-warm", the one strategy that this version offers, got "${strategies[name]}"`,
    };
  });
}

function noSuchRegion(name: string, names: string[]): string {
  return `expected one of the regions (${names.join(', ')}), got "${name}"${didYouMean(name, names)}`;
}
