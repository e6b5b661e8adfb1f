import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { differenceCases, isConflict, type DifferenceCase } from '../../merge/three-way.ts';
import { MergeDocument } from '../../operations/documents/merge.ts';
import { lookAtMerge } from '../../operations/merge.ts';
import { showCount } from '../../topology/figures.ts';
import { command, session } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy failback`: what a way back would merge. */
export function failbackCommand(): Command {
  const of = command(
    'failback',
    'show what the region that a move left has, and the active one lacks or has otherwise; changes nothing',
    'understudy failback --plan',
  ).option('--plan', 'only show it: a failback does not run yet');
  return shows(of, MergeDocument, async (_output, { plan }: { plan?: boolean }, self: Command) => {
    if (plan !== true) {
      throw new UnderstudyError('UsageError', 'failback shows its merge, and does not run yet: expected --plan', {
        next: 'To go back, type "understudy switchover".',
      });
    }
    const document = await lookAtMerge(await session(self), new Date());
    return { document, text: showMerge(document).join('\n') };
  });
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
      : `Nothing of this is merged by itself. It stays in the workspace of ${there}, and sealed in its divergence point.`,
    ...(conflicts > 0 ? [`${showCount(conflicts, 'item')} to decide about before you go back.`] : []),
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
  const decide = of.some(isConflict) ? ': decide' : '';
  const shown = of
    .slice(0, mostShown)
    .flatMap(({ item, fields, renumberedTo }) => [
      `  ${item}${renumberedTo === undefined ? '' : ` (that of ${merge.there} would become version ${renumberedTo})`}`,
      ...fields.map((each) => `    ${showField(each, merge, what === 'made on both sides')}`),
    ]);
  const more = of.length > mostShown ? [`  … and ${of.length - mostShown} more: --output json has them all`] : [];
  return ['', `${titleOf(what, merge)} (${of.length})${decide}`, ...shown, ...more];
}

type Field = MergeDocument['differences'][number]['fields'][number];

function showField({ field, base, there, here }: Field, sides: MergeDocument, isNew: boolean): string {
  if (field === 'files') return 'what it consists of';
  const [before, is, other] = [base, there, here].map((value) => value ?? 'nothing');
  if (isNew) return `${field}: ${is} in ${sides.there}, ${other} in ${sides.here}`;
  return `${field}: ${before} → ${is}${here === base ? '' : `, and ${other} in ${sides.here}`}`;
}
