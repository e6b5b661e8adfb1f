/** What became of each job: one successor and no more, equal but for where it runs, or a word to a person. */
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import type { Report } from '../../../src/report/schema.ts';
import type { WrittenJob } from './content-jobs.ts';
import { differing, isObject, moved, without, words, type Expect } from './expected.ts';
import type { Held, Seen } from './look.ts';

const finished: readonly unknown[] = ['Completed', 'Failed', 'Canceled'];

export function isUnfinished({ properties }: Held): boolean {
  return !finished.includes(properties.status);
}

/** Set by Azure for each run. */
const ofTheRun = ['status', 'services', 'sourceJobId', 'parameters'];

export interface JudgeJobs {
  before: Seen;
  after: Seen;
  expect: Expect;
  written: readonly WrittenJob[];
  report: Report;
  /** Fields that must be otherwise: `job` → place → value. */
  otherwise?: Record<string, JsonObject>;
}

export function judgeJobs(judged: JudgeJobs): string[] {
  const { before, after, written, report } = judged;
  const found: string[] = [];
  for (const { name, fate } of written) {
    const source = before.jobs.get(name);
    if (!source) throw new Error(`the test wrote no job "${name}"`);
    const successors = [...after.jobs.values()].filter((each) => originOf(each) === source.id.toLowerCase());
    const unfinished = isUnfinished(source);
    const record = report.jobs.find((each) => each.old === name);
    if (unfinished && !record) found.push(`job ${name}: the report does not name it`);
    if (!unfinished && record) found.push(`job ${name}: had finished, and the report names it`);
    if (fate === 'left') {
      if (successors.length > 0) found.push(`job ${name}: was to be left alone, and has a successor`);
      if (unfinished && (record?.reason ?? '') === '') found.push(`job ${name}: left without a reason`);
      continue;
    }
    const [successor] = successors;
    if (!successor || successors.length > 1) found.push(`job ${name}: ${successors.length} successors`);
    else found.push(...compare(name, source, successor, judged));
  }
  return found;
}

/** ARM id of the job that this one takes the place of, in lower case. */
export function originOf({ properties }: Held): string {
  const { tags } = properties;
  const origin = tags && isObject(tags) ? tags['understudy.origin'] : undefined;
  return typeof origin === 'string' ? origin.toLowerCase() : '';
}

function compare(name: string, source: Held, successor: Held, { expect, otherwise }: JudgeJobs): string[] {
  const wanted = moved(without(source.properties, ofTheRun), expect, words) as JsonObject;
  const held = without(successor.properties, ofTheRun);
  const { default: _own, ...outputs } = (wanted.outputs ?? {}) as JsonObject;
  const { default: __own, ...heldOutputs } = (held.outputs ?? {}) as JsonObject;
  const { tags } = held as { tags: JsonObject };
  const own = Object.keys(tags).filter((tag) => !tag.startsWith('understudy.'));
  return differing(
    { ...wanted, outputs, ...servicesOf(source), ...otherwise?.[name] },
    {
      ...held,
      outputs: heldOutputs,
      ...servicesOf(successor),
      tags: Object.fromEntries(own.map((tag) => [tag, tags[tag] ?? null])),
    },
  ).map((line) => `job ${name.slice(0, 40)}: ${line}`);
}

/** What the job's owner asked for, without what Azure adds. */
function servicesOf({ properties }: Held): { services: Json } {
  const all = Object.entries((properties.services ?? {}) as JsonObject);
  const asked = all.filter(([name]) => name !== 'Studio' && name !== 'Tracking');
  return {
    services: Object.fromEntries(
      asked.map(([name, service]) => [name, without(service as JsonObject, ['endpoint', 'status', 'errorMessage'])]),
    ),
  };
}
