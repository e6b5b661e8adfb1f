/** Describes the result of inspecting config files for people. Pure. */
import type { ConfigError, ConfigPlace } from './error.ts';
import type { WorkspaceMapping } from './mapping.ts';
import type { ConfigFileOutcome, ConfigFinding } from './outcome.ts';

/** A problem that would make the rewriting fail. */
export function failing({ file, line, column, diagnosis }: ConfigError): ConfigFinding {
  return {
    severity: 'fails',
    file,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...diagnosis,
  };
}

/** The target has nothing to rewrite, or names the workspace in an unknown way. */
export function namesNothing(place: ConfigPlace, { from, to }: WorkspaceMapping): ConfigFinding {
  return {
    severity: 'warning',
    ...place,
    found: `nothing in it names the old workspace "${from.name}"`,
    expected: 'a value that a move changes',
    next: `See docs/config-files.md for what is changed; if it names "${to.name}" already, or no workspace, leave it.`,
  };
}

/** What the rewriting leaves to a person. */
export function warningsOf({ file, warnings, reason }: ConfigFileOutcome): ConfigFinding[] {
  const severity = 'warning';
  const next = 'Look at it by hand after the move.';
  const findings: ConfigFinding[] = warnings.map(({ place, line, text }) => ({
    severity,
    file,
    line,
    found: `${place}: ${text}`,
    expected: 'a value that can be rewritten',
    next,
  }));
  if (reason === undefined) return findings;
  return [{ severity, file, found: reason, expected: 'an unedited file, and its whole backup', next }, ...findings];
}
