/**
 * Jobs that live by the clock read and write nothing, but they begin as all do: by reaching what they are to read, and
 * where they are to write. One that its storage refuses has failed.
 */

import type { Cloud, Stored } from '../../../contract/index.ts';
import { textOf } from '../../bodies/fields.ts';
import { onLifeChanged } from '../../job-life/job-events.ts';
import { FINISHED, hasStarted, lifeOf, statusAt } from '../../job-life/job-life.ts';
import { changeLife, JOBS } from '../../job-life/job-queue.ts';
import { AccessRefused } from './data-access.ts';
import { assetKindOf, inputsOf, locateData, requireOutputs } from './job-data.ts';
import { RunFailure } from './run-failure.ts';

/** Looks at each job when it begins, from now on. What runs already has begun. */
export function watchFirstAccess(cloud: Cloud): void {
  const now = cloud.clock.now();
  const begun = new Set<string>();
  const due = new Map<string, { cancel(): void }>();
  const consider = (job: Stored): void => {
    const key = job.resource.id.toLowerCase();
    due.get(key)?.cancel();
    due.delete(key);
    const { execution, startsAt } = lifeOf(job);
    if (execution || startsAt === null || begun.has(key)) return;
    due.set(
      key,
      cloud.clock.after(Math.max(0, startsAt - cloud.clock.now()), () => {
        due.delete(key);
        begun.add(key);
        begin(cloud, key);
      }),
    );
  };
  for (const job of cloud.store.ofType(JOBS)) {
    if (FINISHED.has(statusAt(lifeOf(job), now))) continue;
    if (hasStarted(lifeOf(job), now)) begun.add(job.resource.id.toLowerCase());
    else consider(job);
  }
  onLifeChanged(cloud, consider);
}

function begin(cloud: Cloud, key: string): void {
  const job = cloud.store.get(key);
  if (!job || FINISHED.has(statusAt(lifeOf(job), cloud.clock.now()))) return;
  const refused = whyRefused(cloud, job);
  if (!refused) return;
  const error = { code: refused.code, message: refused.message };
  changeLife(cloud, job, { ...lifeOf(job), failedAt: cloud.clock.now(), error });
}

/** Only what is refused: whether anything is there is nobody's question who reads nothing. */
function whyRefused(cloud: Cloud, job: Stored): AccessRefused | undefined {
  try {
    requireOutputs(cloud, job);
    for (const [, input] of inputsOf(job)) {
      const uri = textOf(input.uri);
      if (uri !== undefined && input.mode !== 'Direct') tryInput(cloud, job, uri, assetKindOf(input));
    }
  } catch (error) {
    if (error instanceof AccessRefused) return error;
    if (!(error instanceof RunFailure)) throw error;
  }
  return undefined;
}

function tryInput(...[cloud, job, uri, kind]: Parameters<typeof locateData>): void {
  try {
    locateData(cloud, job, uri, kind);
  } catch (error) {
    if (error instanceof AccessRefused || !(error instanceof RunFailure)) throw error;
  }
}
