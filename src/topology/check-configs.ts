/** Checks the config targets that a topology declares, as far as that is possible without their hosts. */
import { posix } from 'node:path';
import type { FieldProblem } from './describe-issue.ts';
import type { Topology } from './topology.ts';

/** Returns globs that lead out of their working copy, and files that are declared twice. */
export function checkConfigs({ configs }: Topology): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Map<string, number>();
  for (const [index, target] of configs.entries()) {
    const named: [PropertyKey[], string][] =
      'git' in target ? target.files.map((glob, at) => [['files', at], glob]) : [[['file'], target.file]];
    for (const [place, name] of named) {
      const path = ['configs', index, ...place];
      const message = 'git' in target && leadsOut(name) ? outside(name) : undefined;
      const key = JSON.stringify(
        'git' in target ? [target.host, plain(target.git), posix.normalize(name)] : [target.host, plain(target.file)],
      );
      const before = seen.get(key);
      if (message !== undefined) problems.push({ path, message });
      else if (before !== undefined) problems.push({ path, message: twice(name, before) });
      else seen.set(key, index);
    }
  }
  return problems;
}

/** A glob is relative to the folder of the working copy. */
function leadsOut(glob: string): boolean {
  const normal = posix.normalize(glob);
  return normal === '..' || normal.startsWith('../') || /^([/\\]|[A-Za-z]:)/.test(glob);
}

function outside(glob: string): string {
  return `expected a glob below the working copy, such as "jobs/*.yml", got "${glob}", which leads out of it`;
}

function twice(name: string, before: number): string {
  return `expected each file once on a host, got "${name}", which configs[${before}] has already`;
}

/** Two spellings of one path: without a slash at its end, and without `.` and `..`. */
function plain(path: string): string {
  return path.includes('\\') ? path : posix.normalize(path).replace(/(?<=.)\/+$/, '');
}
