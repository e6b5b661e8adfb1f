/**
 * Rewrites the spec of a job for another workspace. Works on raw JSON, so that no field is lost. Reports what it
 * changed, what it removed, and what it could not map. A job with an unmapped reference is left for a person: it is
 * better not to run it than to run it wrongly. Pure.
 */
import { z } from 'zod';
import type { Json, JsonObject } from '../../azure/azure.ts';
import { withoutSignature } from '../../azure/storage/blob-url.ts';
import {
  parseAzureMlUri,
  rewriteCompute,
  rewriteDatastore,
  rewriteReference,
  sameWorkspace,
  type ReferenceMapping,
  type Rewritten,
} from '../../azure/ids.ts';
import { isFreeText } from '../../azure/body/free-text.ts';
import { isObject } from '../../azure/body/json.ts';
import type { RawJob } from '../../workspace/jobs/job.ts';
import { namedIdentity } from './managed-identity.ts';
import { isRegionField, moveRegions } from './region-fields.ts';
import { stripRunBound } from './run-bound.ts';
import { eachText } from '../../azure/body/json-texts.ts';
import { risksIn } from './text-risks.ts';

/** How to rewrite a spec. */
export interface RewriteSpec {
  mapping: ReferenceMapping;
  /**
   * Rewrites a reference to an output of an interrupted job whose successor writes it. Undefined if it is not such a
   * reference.
   */
  follow?: (reference: string) => string | undefined;
}

/** A value that was rewritten. */
export const Change = z.strictObject({
  /** Example: `properties.inputs.data.uri`. */
  place: z.string(),
  from: z.string(),
  to: z.string(),
});
export type Change = z.infer<typeof Change>;

/** A value that could not be rewritten, and why. */
export const Unmapped = z.strictObject({ place: z.string(), value: z.string(), reason: z.string() });
export type Unmapped = z.infer<typeof Unmapped>;

/** The result of rewriting a spec. */
export interface RewrittenSpec {
  /** Properties for the other workspace. */
  properties: JsonObject;
  changes: Change[];
  unmapped: Unmapped[];
  /** What a person should know, but does not prevent the job from running. */
  warnings: Unmapped[];
  /** Places of fields that are read-only or belong to the old run. */
  stripped: string[];
}

/** Rewrites the job for the other workspace. `successorSpec` then makes it the successor of this one. */
export function rewriteSpec(job: RawJob, options: RewriteSpec): RewrittenSpec {
  const { properties, places } = stripRunBound(job);
  const rewriting = new Rewriting(options, namesFrom(properties));
  const rewritten = rewriting.walk(properties, 'properties', []) as JsonObject;
  return {
    properties: rewritten,
    changes: rewriting.changes,
    unmapped: rewriting.unmapped,
    warnings: rewriting.warnings,
    stripped: places,
  };
}

/** Keys whose value names a compute. */
export const computeKeys = new Set(['computeId', 'compute', 'default_compute', 'defaultCompute', 'compute_id']);
/** Keys whose value names a datastore. */
export const datastoreKeys = new Set(['default_datastore', 'defaultDatastore', 'datastore', 'datastoreId']);

/**
 * Inputs whose literal values are names: with `computeId: ${{parent.inputs.compute_name}}`, that input names a compute.
 */
interface NamesFromInputs {
  computes: ReadonlySet<string>;
  datastores: ReadonlySet<string>;
}

function namesFrom(properties: JsonObject): NamesFromInputs {
  const found = { computes: new Set<string>(), datastores: new Set<string>() };
  eachText(properties, (text, _place, keys) => {
    const [, input] = /^(?:azureml:)?\$\{\{\s*(?:parent\.)?inputs\.([\w-]+)\s*\}\}$/i.exec(text) ?? [];
    if (input === undefined) return;
    if (computeKeys.has(keys.at(-1) ?? '')) found.computes.add(input);
    if (datastoreKeys.has(keys.at(-1) ?? '')) found.datastores.add(input);
  });
  return found;
}

class Rewriting {
  readonly changes: Change[] = [];
  readonly unmapped: Unmapped[] = [];
  readonly warnings: Unmapped[] = [];
  readonly #options: RewriteSpec;
  readonly #names: NamesFromInputs;

  constructor(options: RewriteSpec, names: NamesFromInputs) {
    this.#options = options;
    this.#names = names;
  }

  /** `keys`: the keys from `properties` to `value`. */
  walk(value: Json, place: string, keys: readonly string[]): Json {
    const regions = isRegionField(keys) ? this.#regions(value, place) : undefined;
    if (regions !== undefined) return regions;
    if (Array.isArray(value)) return value.map((each, index) => this.walk(each, `${place}[${index}]`, keys));
    if (typeof value === 'string') return this.#text(value, place, keys);
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([key, each]): [string, Json] => {
      const path = [...keys, key];
      return [key, isFreeText(path) ? each : this.walk(each, `${place}.${key}`, path)];
    });
    this.#identity(value, place);
    return Object.fromEntries(entries);
  }

  #regions(value: Json, place: string): Json | undefined {
    const { from, to } = this.#options.mapping;
    const moved = moveRegions(value, from.location, to.location);
    if (moved === undefined) return undefined;
    this.changes.push({ place, ...moved.change });
    return moved.value;
  }

  #text(value: string, place: string, keys: readonly string[]): string {
    const result = this.#reference(value, keys);
    if (result.unmapped !== undefined) this.#cannot(place, value, result.unmapped);
    else if (!result.changed && parseAzureMlUri(value) === undefined) this.#look(value, place, keys);
    const to = result.value;
    if (to !== value) this.changes.push({ place, from: withoutSignature(value), to: withoutSignature(to) });
    return to;
  }

  #reference(value: string, keys: readonly string[]): Rewritten {
    const { mapping, follow } = this.#options;
    const followed = keys.includes('outputs') ? undefined : follow?.(value);
    if (followed !== undefined) return { value: followed, changed: true };
    const key = keys.at(-1) ?? '';
    const input = key === 'value' && keys.at(-3) === 'inputs' ? (keys.at(-2) ?? '') : '';
    if (computeKeys.has(key) || this.#names.computes.has(input)) return rewriteCompute(value, mapping);
    if (datastoreKeys.has(key) || this.#names.datastores.has(input)) return rewriteDatastore(value, mapping);
    return rewriteReference(value, mapping);
  }

  /** Text that is not a reference as a whole may contain one. That is not rewritten, but reported. */
  #look(value: string, place: string, keys: readonly string[]): void {
    const { unmapped, warnings } = risksIn(value, keys, this.#options.mapping);
    for (const each of unmapped) this.#cannot(place, each.value, each.reason);
    for (const each of warnings)
      this.warnings.push({ place, value: withoutSignature(each.value), reason: each.reason });
  }

  #cannot(place: string, value: string, reason: string): void {
    this.unmapped.push({ place, value: withoutSignature(value), reason });
  }

  /** If nothing maps an identity of the old region, the job could not sign in, or would sign in as another. */
  #identity(value: JsonObject, place: string): void {
    const { from, to } = this.#options.mapping;
    const name = namedIdentity(value);
    if (name === undefined || sameWorkspace(from, to)) return;
    this.#cannot(place, name, `it runs as managed identity ${name}, which the topology maps to nothing`);
  }
}
