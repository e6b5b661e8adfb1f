/**
 * The bindings of commands to inputs and outputs, which are declared beside them: Azure refuses a command that names
 * others.
 */

import type { Json } from '../../contract/index.ts';
import { objectOf, textOf } from '../bodies/fields.ts';
import { userError } from '../bodies/refusals.ts';

/** What is declared beside a command, by what its bindings call it ('inputs', 'outputs', 'search_space'). */
export type Declared = Partial<Record<string, Json | undefined>>;

/** The words of the refusal. */
const NOUNS: Record<string, string> = { inputs: 'input', outputs: 'output', search_space: 'search space' };

const BINDING = /\$\{\{\s*(inputs|outputs|search_space)\.([\w.-]+?)\s*\}\}/g;

/** Between these a command may name an input that is not given: then all of it is left out. */
const OPTIONAL = /\$\[\[[\s\S]*?\]\]/g;

/** Every job has this output, declared or not. */
const OUTPUT_OF_EVERY_JOB = 'default';

/**
 * Errors: 400 UserError, in Azure's words, for a binding to what is not declared. `field`: where the command stands.
 */
export function checkCommand(command: Json | undefined, declared: Declared, field: string): void {
  const text = textOf(command);
  for (const [, scope = '', name = ''] of text?.replaceAll(OPTIONAL, '').matchAll(BINDING) ?? [])
    if (!isDeclared(declared, scope, name))
      throw userError(`In command "${text}", ${NOUNS[scope]} with name '${name}' not found.`, field);
}

/** The fields of a group of inputs are named by the group: `${{inputs.group.field}}`. */
function isDeclared(declared: Declared, scope: string, name: string): boolean {
  const names = objectOf(declared[scope]);
  const [first = ''] = name.split('.');
  if (Object.hasOwn(names, name) || Object.hasOwn(names, first)) return true;
  return scope === 'outputs' && name === OUTPUT_OF_EVERY_JOB;
}
