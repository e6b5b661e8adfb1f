/** Finds files that several config targets of a host name. Each is rewritten once. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ConfigFileOutcome, ConfigFinding, TargetFiles } from '../config-files/outcome.ts';

/** Remembers the files of targets by their real paths, and warns of those that another target has. */
export interface Overlaps {
  /** Returns a warning for each file that a target has which was given before. */
  add(target: TargetFiles, name: string, files: readonly ConfigFileOutcome[]): Promise<ConfigFinding[]>;
}

/** Makes an empty memory. Give it the targets one after the other. */
export function rememberFiles(): Overlaps {
  const owners = new Map<string, string>();
  return {
    async add(target, name, files) {
      const findings: ConfigFinding[] = [];
      for (const { file, status } of files) {
        const path = 'git' in target ? resolve(target.git, file) : file;
        const real = await realpath(path).catch(() => path);
        const owner = owners.get(real);
        if (owner === undefined) owners.set(real, name);
        else if (status !== 'unchanged') findings.push(overlap(file, owner));
      }
      return findings;
    },
  };
}

function overlap(file: string, owner: string): ConfigFinding {
  return {
    severity: 'warning',
    file,
    found: `the target "${owner}" has this file too; whichever comes first rewrites it`,
    expected: 'each file in one target',
    next: 'Take it out of one of them in the topology.',
  };
}
