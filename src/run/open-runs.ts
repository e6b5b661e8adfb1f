/**
 * The names of the runs that are not over, so that nobody has to read all runs to find them. The runs themselves are
 * authoritative; this document says which to read. A run is listed before it is recorded, and until it has been seen to
 * be over. A listed run that is over costs one read.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { isUnderstudyError } from '../errors/error.ts';

const name = 'open-runs.json';

const OpenRuns = z.strictObject({ runIds: z.array(z.string()) });
const documents = documentKind('list of open runs', 1, OpenRuns);

/**
 * Reads the whole journal: for a control store of a release that had no such document, or if the document cannot be
 * read.
 */
export type Rebuild = () => Promise<string[]>;

/** Never throws ControlStoreError: a list that cannot be read is made again. */
export async function readOpenRuns(store: ControlStore, rebuild: Rebuild): Promise<string[]> {
  return (await readOrRebuild(store, rebuild)).runIds;
}

/**
 * Called before a run is recorded, and after one that was over continues. Writes in any case: another reader may be
 * removing it just now.
 */
export async function addOpenRun(store: ControlStore, runId: string, rebuild: Rebuild): Promise<void> {
  for (;;) {
    const { runIds, etag } = await readOrRebuild(store, rebuild);
    const next = [...runIds.filter((each) => each !== runId), runId];
    if (await documents.swap(store, name, { runIds: next }, etag)) return;
  }
}

/**
 * `isOver` checks the run after the list is read, so that a run which continues in the meantime stays. What cannot be
 * removed now is removed by the next reader.
 */
export async function removeOpenRun(store: ControlStore, runId: string, isOver: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const found = await readIfReadable(store);
    if (!found?.value.runIds.includes(runId) || !(await isOver())) return;
    const runIds = found.value.runIds.filter((each) => each !== runId);
    if (await documents.swap(store, name, { runIds }, found.etag)) return;
  }
}

async function readOrRebuild(
  store: ControlStore,
  rebuild: Rebuild,
): Promise<{ runIds: string[]; etag: string | undefined }> {
  for (;;) {
    const found = await readIfReadable(store);
    if (found) return { runIds: found.value.runIds, etag: found.etag };
    const runIds = await rebuild();
    if (await documents.swap(store, name, { runIds }, undefined)) continue;
    // By now there is a list, or one that cannot be read: the journal has what it names too.
    if (!(await readIfReadable(store))) await documents.begin(store, name, { runIds });
  }
}

async function readIfReadable(store: ControlStore) {
  try {
    return await documents.read(store, name);
  } catch (error) {
    if (!isUnderstudyError(error, 'ControlStoreError')) throw error;
    return undefined;
  }
}
