import type { Command } from 'commander';
import { z } from 'zod';
import { differenceCases, type DifferenceCase } from '../../merge/three-way.ts';
import { MergeDocument } from '../../operations/documents/merge.ts';
import { MoveOutcome } from '../../operations/documents/run.ts';
import { lookAtMerge } from '../../operations/merge.ts';
import { planningOf } from '../../operations/plans/planning.ts';
import { isToReprotect, reprotect } from '../../operations/reprotect.ts';
import { requireCompleted } from '../../operations/runs/watch-run.ts';
import { showCount } from '../../topology/figures.ts';
import { command, session } from '../command.ts';
import { shows, type Output } from '../output.ts';
import { seeThrough } from '../see-through.ts';
import { move, withMoveOptions, type BeforeMove, type MoveOptions } from './move.ts';

/** `understudy failback`: goes back to the region that a move has left, with what only that region has. */
export function failbackCommand(): Command {
  const of = command(
    'failback',
    'go back to the region that the last move left: make it a standby, bring over what only it has, and switch over',
    'understudy failback --plan\nunderstudy failback --to eastus --reason "eastus is back"\nunderstudy failback --to eastus --yes --decide "endpoints/*=westus3" --decide models/fraud/8=both',
  )
    .option('--plan', 'only show what would be merged; changes nothing')
    .option(
      '--decide <item=who...>',
      'whose counts where both regions changed something: a region, or "both"; the item may be a glob',
    );
  return shows(
    withMoveOptions(of),
    z.union([MoveOutcome, MergeDocument]),
    async (output, { plan, ...options }: MoveOptions & { plan?: boolean }, self: Command) => {
      if (plan !== true) return move(output, self, 'failback', { ...options, before: reprotectFirst(output, options) });
      const document = await lookAtMerge(await planningOf(await session(self)), options.decide ?? []);
      return { document, text: showMerge(document).join('\n') };
    },
  );
}

/** What the region has is only known, and safe, once it has been sealed as it was found. */
function reprotectFirst(output: Output, { to, reason }: MoveOptions): BeforeMove {
  return async (opened, client) => {
    const region = await isToReprotect(opened, to);
    if (region === undefined) return undefined;
    output.say(`${region} is no standby yet: "understudy reprotect" comes first`);
    const ended = await seeThrough(
      output,
      opened,
      () => reprotect(opened, client, reason ?? 'a failback follows'),
      requireCompleted,
    );
    return ended.error ? ended : undefined;
  };
}

/** How many items of a case are shown: the document has them all. */
const mostShown = 50;

function showMerge(merge: MergeDocument): string[] {
  const { there, here, base, divergencePoint, newest, differences, conflicts, same, onlyHere } = merge;
  return [
    `What ${there} has, compared with ${here}, which took over with run ${merge.run}`,
    ...[
      ['base', base.id],
      [`${there} as found`, divergencePoint.id],
      [`${here} now`, newest.id],
    ].map(([name = '', id]) => `  ${name.padEnd(20)}  ${id}`),
    ...differenceCases.flatMap((each) => showCase(each, merge)),
    '',
    `${showCount(same, 'item')} the same in ${there} as before the move, or as in ${here}; ${onlyHere} made in ${here} since`,
    differences.length === 0
      ? `${there} has nothing that ${here} lacks.`
      : `What stays behind stays sealed in the divergence point of ${there}.`,
    ...(conflicts > 0
      ? [
          `${showCount(conflicts, 'item')} to decide about before you go back: --decide "ITEM=${there}", or "ITEM=${here}".`,
        ]
      : []),
  ];
}

function titleOf(what: DifferenceCase, { there, here }: MergeDocument): string {
  const titles: Record<DifferenceCase, string> = {
    'only there': `only in ${there}`,
    'made on both sides': `made in ${there} and in ${here}, and not the same`,
    'changed there': `changed in ${there} alone`,
    'changed on both sides': `changed in ${there}, and other in ${here}`,
    'removed there': `removed in ${there}, and still in ${here}`,
  };
  return titles[what];
}

function showCase(what: DifferenceCase, merge: MergeDocument): string[] {
  const of = merge.differences.filter((each) => each.case === what);
  if (of.length === 0) return [];
  const shown = of
    .slice(0, mostShown)
    .flatMap((each) => [
      `  ${each.item}: ${becomes(each, merge)}`,
      ...each.fields.map((field) => `    ${showField(field, merge, what === 'made on both sides')}`),
    ]);
  const more = of.length > mostShown ? [`  … and ${of.length - mostShown} more: --output json has them all`] : [];
  return ['', `${titleOf(what, merge)} (${of.length})`, ...shown, ...more];
}

type Difference = MergeDocument['differences'][number];

/** What a failback does with it. */
function becomes({ item, case: what, take, by, renumberedTo }: Difference, { there, here }: MergeDocument): string {
  if (take === undefined) return 'to decide';
  if (take === 'both') return `that of ${there} becomes version ${renumberedTo}`;
  if (by === 'kind') return 'stays, each region has its own';
  if (take === 'writer') return what === 'removed there' ? 'comes back' : `that of ${here} counts`;
  if (item.startsWith('jobs/')) return `goes on in ${there}`;
  return what === 'only there' ? `comes to ${here}` : `that of ${there} counts`;
}

type Field = Difference['fields'][number];

function showField({ field, base, there, here }: Field, sides: MergeDocument, isNew: boolean): string {
  if (field === 'files') return 'what it consists of';
  const [before, is, other] = [base, there, here].map((value) => value ?? 'nothing');
  if (isNew) return `${field}: ${is} in ${sides.there}, ${other} in ${sides.here}`;
  return `${field}: ${before} → ${is}${here === base ? '' : `, and ${other} in ${sides.here}`}`;
}
