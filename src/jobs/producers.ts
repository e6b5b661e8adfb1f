/**
 * Finds which unfinished jobs read what other unfinished jobs write. Their successors must read what the others'
 * successors write. Pure.
 */
import type { Target } from '../azure/azureml-uri.ts';
import { sameName } from '../azure/ids.ts';
import type { JobDescription } from '../run/work/job-platform.ts';

export type ReadsAndWrites = Pick<JobDescription, 'reads' | 'writes'>;

/** A job and what it writes. */
export interface Producer {
  name: string;
  writes: JobDescription['writes'];
}

/** An output of a job, and a path below it. */
export interface OutputOf {
  output: string;
  path: string;
}

/** Returns which output of the job a reference refers to. Undefined if it refers to none. */
export function outputMeant(target: Target, { name, writes }: Producer): OutputOf | undefined {
  if (target.kind === 'job-output')
    return sameName(target.job, name) ? { output: target.output, path: target.path } : undefined;
  if (target.kind === 'run') return sameName(target.run, name) ? { output: 'artifacts', path: target.path } : undefined;
  if (target.kind !== 'datastore') return undefined;
  for (const { output, store, path } of writes)
    if (sameName(store, target.datastore) && path !== '') {
      const below = pathBelow(path, target.path);
      if (below !== undefined) return { output, path: below };
    }
  return ownPlace(target.path, name);
}

/** Where Azure puts outputs without a path of their own, and the artifacts of a run. */
function ownPlace(path: string, job: string): OutputOf | undefined {
  const [folder, of = '', ...rest] = path.split('/');
  if (folder === 'azureml' && of === job && rest[0]) return { output: rest[0], path: rest.slice(1).join('/') };
  return folder === 'ExperimentRun' && of === `dcid.${job}` ? { output: 'artifacts', path: rest.join('/') } : undefined;
}

function pathBelow(folder: string, path: string): string | undefined {
  const plain = path.replace(/^\/+/, '');
  if (plain.replace(/\/+$/, '') === folder) return '';
  return plain.startsWith(`${folder}/`) ? plain.slice(folder.length + 1) : undefined;
}

/** By name: the jobs whose outputs each job reads. Jobs that read no other job's output are omitted. */
export type ProducersOf = ReadonlyMap<string, readonly string[]>;

/** `jobs`: what each job reads and writes, by name. */
export function producersOf(jobs: ReadonlyMap<string, ReadsAndWrites>): ProducersOf {
  const byPlace = writersByPlace(jobs);
  const byName = new Map([...jobs.keys()].map((name) => [name.toLowerCase(), name]));
  const found = new Map<string, string[]>();
  for (const [name, { reads }] of jobs) {
    const producers = new Set(
      reads.flatMap((read) => {
        if ('job' in read) return byName.get(read.job.toLowerCase()) ?? [];
        const own = /^(?:azureml\/|ExperimentRun\/dcid\.)([^/]+)/.exec(read.path)?.[1] ?? '';
        const writers = ancestors(read.path).flatMap((path) => byPlace.get(placeKey(read.store, path)) ?? []);
        return [...writers, byName.get(own.toLowerCase()) ?? []].flat();
      }),
    );
    // A job may read what it has written itself.
    producers.delete(name);
    if (producers.size > 0) found.set(name, [...producers]);
  }
  return found;
}

function writersByPlace(
  jobs: ReadonlyMap<string, Pick<JobDescription, 'writes'>>,
): ReadonlyMap<string, readonly string[]> {
  const all = [...jobs].flatMap(([name, { writes }]) =>
    writes.filter(({ path }) => path !== '').map(({ store, path }) => ({ name, key: placeKey(store, path) })),
  );
  return new Map([...Map.groupBy(all, ({ key }) => key)].map(([key, each]) => [key, each.map(({ name }) => name)]));
}

function placeKey(store: string, path: string): string {
  return `${store.toLowerCase()}/${path}`;
}

/** For `a/b/c`: 'a', 'a/b', 'a/b/c'. */
function ancestors(path: string): string[] {
  const segments = path.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}
