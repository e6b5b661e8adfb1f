/** What recovery points are compared by. */

/** An asset, a resource, or a file. */
export interface Item {
  /** What can change in it: path of the field → its value as JSON. */
  fields: ReadonlyMap<string, string>;
  /**
   * Digest of what it consists of, the same in each region; null: it is not known, since it changed while it was
   * copied.
   */
  content: string | null;
}

/** By name: `models/fraud/8`, `endpoints/score`, `deployments/score/blue`, `files/DATASTORE/PATH`. */
export type Items = ReadonlyMap<string, Item>;

/** The fields below a value, each with its value as JSON. A list is one field. */
export function fieldsOf(value: unknown, path: string, leaveOut: (field: string) => boolean): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (each: unknown, at: string) => {
    if (each === null || each === undefined) return;
    if (typeof each !== 'object' || Array.isArray(each)) return void found.set(at, JSON.stringify(each));
    for (const [name, below] of Object.entries(each)) if (!leaveOut(name)) visit(below, `${at}.${name}`);
  };
  visit(value, path);
  return found;
}
