/** Who must be made before whom: `dependsOn`, batches of loops, and resources that bodies refer to. */

import { evaluateAt } from './evaluate.ts';
import type { Entry } from './expand.ts';
import { childName, providerPart, typeOfId } from './language/ids.ts';
import { invalidTemplate, PLACE, type Subject } from './language/language-error.ts';
import type { PlannedResource } from './language/types.ts';
import { textOf } from './language/values.ts';

/** What a dependency may name that is no entry. */
interface Absent {
  /** The names of all loops, in lower case. */
  loops: Set<string>;
  /** The types, in lower case, of what is not deployed and cannot be known by a name. */
  nameless: Set<string>;
}

/**
 * Fills `dependsOn` of every planned resource. `implied`: what each one's body refers to. Throws ArmError
 * InvalidTemplate where a dependency is not in the template, or where resources wait for each other.
 */
export function linkDependencies(
  entries: Entry[],
  absent: Absent,
  implied: Map<PlannedResource, PlannedResource[]>,
): void {
  const wanted = new Map<PlannedResource, Set<PlannedResource>>();
  const batches = batchesOf(entries);
  for (const entry of entries) {
    const before = new Set(declared(entry, entries, absent));
    for (const each of batches.get(entry.planned) ?? []) before.add(each);
    for (const each of implied.get(entry.planned) ?? []) before.add(each);
    wanted.set(entry.planned, before);
  }
  for (const entry of entries) {
    if (entry.condition && !entry.planned.existing) entry.planned.dependsOn = made(entry.planned, wanted, entries);
  }
  refuseCycles(entries.filter((entry) => entry.condition).map((entry) => entry.planned));
}

/** The resources to make that `planned` waits for. Behind an existing resource stands what that one depends on. */
function made(
  planned: PlannedResource,
  wanted: Map<PlannedResource, Set<PlannedResource>>,
  entries: Entry[],
): string[] {
  const deployed = new Set(entries.filter((entry) => entry.condition).map((entry) => entry.planned));
  const ids = new Set<string>();
  const seen = new Set<PlannedResource>();
  const visit = (each: PlannedResource): void => {
    if (seen.has(each)) return;
    seen.add(each);
    if (!deployed.has(each)) return;
    if (!each.existing) ids.add(each.id);
    else for (const behind of wanted.get(each) ?? []) visit(behind);
  };
  for (const each of wanted.get(planned) ?? []) visit(each);
  return [...ids];
}

function declared(entry: Entry, entries: Entry[], absent: Absent): PlannedResource[] {
  const { raw, planned, scope } = entry;
  const list = raw['dependsOn'] ?? [];
  if (!Array.isArray(list)) {
    throw invalidTemplate(
      `The template resource '${planned.name}' ${PLACE} is not valid: its 'dependsOn' is no array. Please see https://aka.ms/arm-syntax-resources for usage details.`,
      `${planned.path}/dependsOn`,
    );
  }
  return list.flatMap((item, index) => {
    const path = `${planned.path}/dependsOn/${index}`;
    const what: Subject = { kind: 'declaration', name: planned.name, place: planned.path };
    const text = evaluateAt(what, path, item, scope);
    if (typeof text !== 'string') {
      throw invalidTemplate(
        `The template resource '${planned.name}' ${PLACE} is not valid: the dependency '${textOf(text)}' is no text. Please see https://aka.ms/arm-syntax-resources for usage details.`,
        path,
      );
    }
    const found = find(text, entries);
    // What is not deployed waits for nothing, so it may name what is not there.
    if (found.length === 0 && entry.condition && !isAbsent(text, absent) && !isUnnamed(text, entries)) {
      throw invalidTemplate(
        `The resource '${text}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage details.`,
        path,
      );
    }
    // Of several that have the name, it means the others.
    return found.length > 1 ? found.filter((each) => each !== planned) : found;
  });
}

/** Is this a loop, perhaps without turns, or of a type whose resources may be meant and are not deployed? */
function isAbsent(text: string, { loops, nameless }: Absent): boolean {
  if (loops.has(text.toLowerCase().replace(/\[\d+\]$/, ''))) return true;
  const id = text.startsWith('/') ? text : `/providers/${text}`;
  return text.includes('/') && nameless.has(typeOfId(id).toLowerCase());
}

/**
 * Is this the id of a resource with an empty name, and of a type of which one is not deployed? azure-ai-ml's template
 * of feature stores waits so for the connection of an online store that nobody asked for, and Azure deploys it.
 */
function isUnnamed(text: string, entries: Entry[]): boolean {
  if (!text.startsWith('/') || !text.endsWith('/')) return false;
  const type = typeOfId(`${text}unnamed`).toLowerCase();
  return entries.some(({ condition, planned }) => !condition && planned.type.toLowerCase() === type);
}

/** By symbolic name, loop, id, name, or type and name. */
function find(text: string, entries: Entry[]): PlannedResource[] {
  const lower = text.toLowerCase();
  const all = entries.map((entry) => entry.planned);
  const matching: ((each: PlannedResource) => boolean)[] = [
    (each) => each.id.toLowerCase() === lower,
    (each) => each.symbolicName?.toLowerCase() === lower,
    (each) =>
      each.copy !== undefined && `${each.symbolicName ?? each.copy.name}[${each.copy.index}]`.toLowerCase() === lower,
    (each) => each.copy?.name.toLowerCase() === lower,
    (each) => each.name.toLowerCase() === lower,
    (each) => `${each.type}/${each.name}`.toLowerCase() === lower,
    // An id built for another scope than the one this is deployed to (a nested template of outer scope).
    (each) => providerPart(each.id) === providerPart(text.startsWith('/') ? text : `/providers/${text}`),
    (each) => childName(each)?.toLowerCase() === lower,
  ];
  for (const matches of matching) {
    const found = all.filter(matches);
    if (found.length > 0) return found;
  }
  return [];
}

/** For each instance of a serial loop, the instances of the batch before its own. */
function batchesOf(entries: Entry[]): Map<PlannedResource, PlannedResource[]> {
  const before = new Map<PlannedResource, PlannedResource[]>();
  const loops = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.batch === undefined) continue;
    const key = `${entry.planned.path} ${entry.batch.name}`;
    loops.set(key, [...(loops.get(key) ?? []), entry]);
  }
  for (const loop of loops.values()) {
    const deployed = loop.filter((entry) => entry.condition);
    for (const [index, entry] of deployed.entries()) {
      const size = entry.batch?.size ?? 1;
      const start = Math.floor(index / size) * size;
      before.set(
        entry.planned,
        deployed.slice(Math.max(0, start - size), start).map((each) => each.planned),
      );
    }
  }
  return before;
}

function refuseCycles(resources: PlannedResource[]): void {
  const byId = new Map(resources.filter((each) => !each.existing).map((each) => [each.id, each]));
  const done = new Set<string>();
  const visit = (id: string, trail: string[]): void => {
    if (done.has(id)) return;
    if (trail.includes(id)) {
      throw invalidTemplate(
        `Circular dependency detected on resource: '${id}'. Please see https://aka.ms/arm-syntax-resources for usage details.`,
      );
    }
    for (const next of byId.get(id)?.dependsOn ?? []) visit(next, [...trail, id]);
    done.add(id);
  };
  for (const id of byId.keys()) visit(id, []);
}
