import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { differenceCases, type DifferenceCase } from '../../merge/three-way.ts';
import { MergeDocument } from '../../operations/documents/merge.ts';
import { lookAtMerge } from '../../operations/merge.ts';
import { planningOf } from '../../operations/plans/planning.ts';
import { showCount } from '../../topology/figures.ts';
import { command, session } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy failback`: what a way back would merge. */
export function failbackCommand(): Command {
  const of = command(
    'failback',
    'show what the region that a move left has, and the active one lacks or has otherwise; changes nothing',
    'understudy failback --plan\nunderstudy failback --plan --decide "endpoints/*=westus3" --decide models/fraud/8=both',
  )
    .option('--plan', 'only show it: a failback does not run yet')
    .option(
      '--decide <item=who...>',
      'whose would count where both regions changed something: a region, or "both"; the item may be a glob',
    );
  return shows(
    of,
    MergeDocument,
    async (_output, { plan, decide = [] }: { plan?: boolean; decide?: string[] }, self: Command) => {
      if (plan !== true) {
        throw new UnderstudyError('UsageError', 'failback shows its merge, and does not run yet: expected --plan', {
          next: 'To go back, type "understudy switchover".',
        });
      }
      const document = await lookAtMerge(await planningOf(await session(self)), decide);
      return { document, text: showMerge(document).join('\n') };
    },
  );
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
      : `Nothing of this is merged by itself yet. It stays in the workspace of ${there}, and sealed in its divergence point.`,
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
