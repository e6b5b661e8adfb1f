/**
 * The control store: one container of a storage account outside both regions. Small JSON documents, changed only by
 * compare-and-swap; documents that are written once are addressed by their digest. Layout (below the container):
 *
 *     pointer.json                            the region pointer
 *     run-lease.json                          which run may act now, and who executes it
 *     open-runs.json                          runs that are not over: a hint, next to the runs themselves
 *     topology.json                           which topology the control store belongs to
 *     registered.json                         the bundle of runs that are started without a file
 *     bundles/{sha256}.json                   topology, templates, parameters
 *     plans/{sha256}.json                     compiled plans
 *     runs/{runId}/run.json                   header of a run
 *     runs/{runId}/steps/{step}.json          outcome of each step
 *     runs/{runId}/fence.json                 when its fence began
 *     runs/{runId}/stopped-jobs.json          how far its fence has come with the old jobs
 *     runs/{runId}/stopped-jobs/{n}.json      what it saw of them, and did to them: parts that are written once
 *     runs/{runId}/asked-jobs.json            which jobs it has asked for a checkpoint
 *     runs/{runId}/evidence/…                 lists, diffs, reconciliations
 *     runs/{runId}/recovery-point.json        which recovery point it makes
 *     runs/{runId}/progress/{sha256}.json     how far a step came in a long list
 *     runs/{runId}/gates/{gate}.json          what people have decided at a gate
 *     runs/{runId}/report.{json,html,txt}
 *     ledger/{lineage root}.json              one interrupted job and its successors
 *     debts/{region}/{kind}.json              what the fence still owes
 *     fence/{region}/cancelled-jobs.json      the runs whose fences have cancelled jobs there
 *     fence/{region}/taken-{kind}.json        what fences took there (roles and keys, schedules) until it is given back
 *     health/{region}.json                    when it was last seen healthy, and first not
 *     replicas/scrub.json                     which copies were read when, and which are damaged
 *     replicas/lists/{sha256}.json            copies that recovery points refer to
 *     replicas/damage/{sha256}.json           those of a list that are damaged
 *     epochs/{n}/recovery-points/{id}/…       manifests; `sealed.json` is written last
 */
export interface Versioned<T> {
  value: T;
  etag: string;
}

/** Reads and writes documents. Names are paths below the container. */
export interface ControlStore {
  /**
   * Undefined if it does not exist. Throws ControlStoreError if it is not JSON, AzureUnavailable if it cannot be read.
   */
  read<T>(name: string): Promise<Versioned<T> | undefined>;
  /**
   * Writes if the document still has `etag` (undefined: if there is none yet). False if it has changed meanwhile. A
   * lost response is resolved by reading back: true if the stored document is the one to write.
   */
  swap(name: string, value: unknown, etag: string | undefined): Promise<boolean>;
  /** Replaces what is there. Only for documents that depend on nothing but their name, such as the report of a run. */
  write(name: string, content: Buffer | string, contentType: string): Promise<void>;
  /** Stores JSON under `{folder}/{sha256}.json`. The same content is stored once. Returns the digest. */
  seal(folder: string, value: unknown): Promise<string>;
  /**
   * Reads what `seal` wrote and checks its digest.
   * Errors: ControlStoreError if altered, cut short or missing.
   */
  open<T>(folder: string, digest: string): Promise<T>;
  readText(name: string): Promise<string | undefined>;
  /** Lists names below a prefix, sorted. */
  list(prefix: string): AsyncIterable<string>;
  /**
   * Lists the folders that begin with a prefix, sorted, however many documents each has: `runs/2026` returns
   * `runs/20261121T…/`. Documents directly in the parent folder are omitted.
   */
  folders(prefix: string): AsyncIterable<string>;
}

/** Returns JSON with sorted keys. The sha256 of this form is the digest. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
