/**
 * `${NAME}` in a datastore's or a connection's YAML, filled as `envsubst` would: secrets are in the environment, not in
 * the file. `${{…}}` is Azure's own and stays.
 */
import { type Document } from './documents.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { LoadError } from './load-error.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** What the loader itself knows once it has opened the workspace. */
const WORKSPACE_VARIABLES = ['WORKSPACE_STORAGE_ACCOUNT', 'WORKSPACE_STORAGE_KEY'];

const VARIABLE = /\$\{([A-Z][A-Z0-9_]*)\}/gu;

/** Fills the document's content in place; a variable that is not set is a LoadError that names it and its line. */
export function fillVariables(document: Document, variables: Variables): void {
  for (const [key, value] of Object.entries(document.content)) {
    document.content[key] = fill(value, [key], (name, place) => {
      const found = variables[name];
      if (found !== undefined && found !== '') return found;
      if (WORKSPACE_VARIABLES.includes(name)) return `\${${name}}`;
      throw new LoadError(
        `${document.shownPath}:${document.lineOf(place)}: ${place.join('.')}: the environment variable ${name} is not set`,
      );
    });
  }
}

/** Does any text in it still want one of these variables? */
export function wantsVariable(value: Json, name: string): boolean {
  return JSON.stringify(value).includes(`\${${name}}`);
}

/** Fills what is known only later. */
export function fillIn(value: JsonObject, variables: Variables): JsonObject {
  const filled = fill(value, [], (name) => variables[name] ?? `\${${name}}`);
  return isObject(filled) ? filled : value;
}

function fill(value: Json, place: string[], lookup: (name: string, place: string[]) => string): Json {
  if (Array.isArray(value)) return value.map((item, at) => fill(item, [...place, String(at)], lookup));
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fill(item, [...place, key], lookup)]),
    );
  }
  if (typeof value !== 'string') return value;
  return value.replace(VARIABLE, (_, name: string) => lookup(name, place));
}
