import type { ConfigScalar } from './documents/document.ts';
import type { KeyMeaning, KeyRole } from './key-roles.ts';
import { sameLocation, sameText, type WorkspaceMapping, type NamedWorkspace } from './mapping.ts';

/** Whose block it is: the source workspace's, another one's, or unknown. */
export type Standing = 'source' | 'foreign' | 'open';

/** A scalar of a block under a key in the table. */
export interface RoleSite {
  meaning: KeyMeaning;
  site: ConfigScalar;
}

/** What a block says about the workspace it belongs to. */
export interface BlockReading {
  standing: Standing;
  /** Returns whose the keys with this prefix are. */
  standingOf(family: string): Standing;
}

const trio = ['subscription', 'resourceGroup', 'workspace'] as const;
type TrioRole = (typeof trio)[number];

function isTrio(role: KeyRole): role is TrioRole {
  return (trio as readonly string[]).includes(role);
}

/** Returns a role's value in one workspace. Undefined for roles that do not identify it. */
export function roleValue(role: KeyRole, ref: NamedWorkspace): string | undefined {
  const values: Partial<Record<KeyRole, string>> = {
    subscription: ref.subscriptionId,
    resourceGroup: ref.resourceGroup,
    workspace: ref.name,
    location: ref.location,
  };
  return values[role];
}

/** Whether a place has the source workspace's value of its role. */
export function holdsSource({ meaning, site }: RoleSite, mapping: WorkspaceMapping): boolean {
  const value = roleValue(meaning.role, mapping.from);
  if (value === undefined) return false;
  return meaning.role === 'location' ? sameLocation(site.value, value) : sameText(site.value, value);
}

/** A name, not a path, a URL or a `${VARIABLE}`. */
function isName(value: string): boolean {
  return /^[\p{L}\p{N}_.()-]+$/u.test(value);
}

function isWhole(sites: readonly RoleSite[]): boolean {
  return trio.every((role) => sites.some(({ meaning }) => meaning.role === role));
}

/**
 * Determines whose block it is from subscription, resource group and workspace together. Keys of one prefix with all
 * three are read on their own. The others are read together, and with the source's if no other workspace is named. A
 * value equal to the source's, without the other two, says nothing.
 */
export function readWorkspaceBlock(sites: readonly RoleSite[], mapping: WorkspaceMapping): BlockReading {
  const named = sites.filter(({ meaning, site }) => isTrio(meaning.role) && isName(site.value));
  const families = Map.groupBy(named, ({ meaning }) => meaning.family);
  const verdicts = new Map<string, Standing>();
  const rest: RoleSite[] = [];
  for (const [family, members] of families) {
    if (!isWhole(members)) rest.push(...members);
    else verdicts.set(family, members.every((member) => holdsSource(member, mapping)) ? 'source' : 'foreign');
  }
  const whole = new Set(verdicts.values());
  const restStanding = readRest(rest, whole, mapping);
  const all = new Set([...whole, restStanding]);
  const standing = all.has('foreign') ? 'foreign' : all.has('source') ? 'source' : 'open';
  return {
    standing,
    standingOf: (family) => verdicts.get(family) ?? (rest.length > 0 ? restStanding : standing),
  };
}

function readRest(rest: readonly RoleSite[], whole: ReadonlySet<Standing>, mapping: WorkspaceMapping): Standing {
  if (rest.length === 0) return 'open';
  const differing = rest.filter((member) => !holdsSource(member, mapping));
  if (differing.length === 0) {
    const completed = whole.has('source') && !whole.has('foreign');
    return completed || isWhole(rest) ? 'source' : 'open';
  }
  return isWhole(rest) || differing.some(({ meaning }) => meaning.unmistakable) ? 'foreign' : 'open';
}
