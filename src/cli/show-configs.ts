/** The findings about config files, as a person reads them before a move. */
import { showPlace } from '../config-files/error.ts';
import { showCount } from '../topology/figures.ts';
import type { TargetFinding, TargetLook } from '../switch/look-at-configs.ts';

/** One line per target, and below it one line per finding with what to do; nothing if no config file is declared. */
export function showConfigs(looks: readonly TargetLook[]): string[] {
  if (looks.length === 0) return [];
  return ['', 'config files', ...looks.flatMap(showLook)];
}

function showLook({ host, target, state, files, changes, restored, findings, more }: TargetLook): string[] {
  const original = restored === undefined ? '' : ` (${showCount(restored, 'file')} as before the move)`;
  const counts = `${showCount(changes, 'value')} to change in ${showCount(files, 'file')}${original}`;
  const [unknown] = findings.filter(({ severity }) => severity === 'unknown');
  // If nobody could check, there is nothing else to say.
  if (state === 'unknown' && findings.length === 1 && unknown)
    return [`  unknown   ${host}: ${target}: ${unknown.found}`, `            → ${unknown.next}`];
  return [
    `  ${words[state]} ${host}: ${target}: ${counts}`,
    ...findings.flatMap((finding) => showFinding(finding)),
    ...(more === undefined ? [] : [`            and ${more} more`]),
  ];
}

const words = { ready: 'ready    ', fails: 'FAILS    ', unknown: 'unknown  ' } as const;

function showFinding({ severity, found, expected, next, ...place }: TargetFinding): string[] {
  const word = { fails: 'FAILS: ', warning: '', unknown: 'unknown: ' }[severity];
  return [`            ${word}${showPlace(place)}: ${found}; expected ${expected}`, `            → ${next}`];
}
