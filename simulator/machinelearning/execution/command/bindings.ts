/**
 * The bindings of Azure Machine Learning in a command: `${{inputs.x}}`, `${{outputs.y}}`, and `$[[…]]` around what is
 * left out without its input.
 */

import { RunFailure } from '../data/run-failure.ts';

/** The texts to put in, by scope ('inputs', 'outputs', 'search_space') and name. */
export type Values = Record<string, Record<string, string>>;

const BINDING = /\$\{\{\s*([A-Za-z_]+)\.([\w.-]+?)\s*\}\}/g;

/** Errors: RunFailure naming a binding that has no value. */
export function substitute(command: string, values: Values): string {
  const withoutOptional = command.replace(/\$\[\[([\s\S]*?)\]\]/g, (_, part: string) => {
    const named = [...part.matchAll(BINDING)];
    return named.every(([, scope = '', name = '']) => values[scope]?.[name] !== undefined) ? part : '';
  });
  return withoutOptional.replace(BINDING, (binding, scope: string, name: string) => {
    const value = values[scope]?.[name];
    if (value === undefined)
      throw new RunFailure(
        'UserError',
        `The command names ${binding}, but the job has ${known(values[scope], scope)}.`,
      );
    return value;
  });
}

function known(values: Record<string, string> | undefined, scope: string): string {
  const names = Object.keys(values ?? {});
  return names.length === 0 ? `no ${scope}` : `as ${scope} only ${names.join(', ')}`;
}
