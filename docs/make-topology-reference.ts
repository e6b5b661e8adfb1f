/**
 * Writes the reference of the topology from its schema: `node docs/make-topology-reference.ts` makes docs/topology.md
 * for people and docs/understudy.schema.json for editors. A test holds that both are current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { topologyJsonSchema } from '../src/topology/json-schema.ts';
import { starterTopology } from '../src/cli/starter-topology.ts';

/** What is read of a JSON Schema (draft 7). */
interface Schema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  anyOf?: Schema[];
}

interface Row {
  key: string;
  is: string;
  otherwise: string;
  about: string;
}

const folder = import.meta.dirname;

/** The files, by name, as they should be. */
export function makeReference(): Record<'topology.md' | 'understudy.schema.json', string> {
  const schema = topologyJsonSchema() as Schema;
  return {
    'topology.md': page(schema),
    'understudy.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
  };
}

/** A file of the reference as it is. */
export function readReference(name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

function page(schema: Schema): string {
  const sections = Object.entries(schema.properties ?? {}).map(([key, each]) =>
    section(key, each, schema.required?.includes(key) === true),
  );
  return `# The topology

<!-- Made from src/topology/topology.ts by docs/make-topology-reference.ts. Change the schema, then run it again. -->

\`understudy.yaml\` declares what Understudy keeps able to move, and where to. This page lists every key. A key that is not
here is refused. \`understudy init\` writes the commented example at the end of this page; \`understudy validate\` checks a topology and
the files that it names, and names each problem by file, line and column. Editors that know YAML schemas take
[understudy.schema.json](understudy.schema.json).

\`\${NAME}\` in a value is replaced by the environment variable of that name; one that is not set is an error, and so is \`\${\` before
anything that is no such name. \`\${lower}\` and \`\${{…}}\` stay as they are. Paths of templates and parameters are relative to the topology. A duration is a whole number and a unit: \`90s\`, \`15m\`, \`2h\`, \`1d\`.
\`NAME\` in a key stands for a name of your own, \`[]\` for each item of a list. "required" is meant within its parent.

${sections.join('\n')}
## What is refused, and what is a warning

Every command that reads the topology refuses what can only be wrong, and ends with 2. A warning of \`validate\` is of what may be meant; it
ends with 0.

| | refused | a warning |
|---|---|---|
| subscription | whatever is not a GUID; the zeros that \`init\` writes | – |
| region | a slip in the name of a region that Azure has (\`wetsus3\`) | any other name that this version does not know (\`westus4\`, \`atlantis\`): Azure adds regions, and private clouds have their own |
| \`controlStore.resourceGroup\` | the group of either workspace | – |
| \`artifacts.include\`, \`exclude\` | a glob of no kind (\`modles/**\`) | a glob that can match no version (\`models/fraud\`) |
| template | what ARM would refuse: a parameter missing, unknown or of another type; a \`dependsOn\` in a circle | – |
| Bicep, with the Bicep CLI (\`bicep\`, or \`az bicep\`) | what does not compile | – |
| Bicep, without it | a string, a comment or a bracket that does not end; other parameters or outputs than the JSON next to it has; no JSON | the JSON is used as it is: whether the Bicep compiles to it is not known, or the JSON is older |

Without the Bicep CLI nothing more is known: \`_generator.templateHash\` in the JSON is a hash of the JSON, not of the Bicep.

## An example

\`\`\`yaml
${starterTopology.trimEnd()}
\`\`\`
`;
}

function section(key: string, schema: Schema, required: boolean): string {
  const rows = rowsOf(key, schema, required);
  const lines = rows.map(({ key: name, is, otherwise, about }) => `| \`${name}\` | ${is} | ${otherwise} | ${about} |`);
  return `## \`${key}\`

| key | is | default | |
|---|---|---|---|
${lines.join('\n')}
`;
}

/** The key itself, then what is below it. */
function rowsOf(key: string, schema: Schema, required: boolean): Row[] {
  const below = isScalar(schema) ? [] : childrenOf(key, schema);
  return [
    { key, is: kindOf(schema), otherwise: defaultOf(schema, required), about: schema.description ?? '' },
    ...below,
  ];
}

function childrenOf(key: string, schema: Schema): Row[] {
  if (schema.anyOf) {
    return schema.anyOf.flatMap((each, index) => [
      { key, is: index === 0 ? 'either' : 'or', otherwise: '', about: '' },
      ...childrenOf(key, each),
    ]);
  }
  if (schema.items) return isScalar(schema.items) ? [] : childrenOf(`${key}[]`, schema.items);
  const named = Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
    rowsOf(`${key}.${name}`, each, schema.required?.includes(name) === true),
  );
  const { additionalProperties: open, propertyNames } = schema;
  if (typeof open !== 'object' || isScalar(open)) return named;
  return [...named, ...childrenOf(`${key}.${propertyNames?.pattern === undefined ? 'NAME' : 'REGION'}`, open)];
}

function isScalar({ properties, items, additionalProperties, anyOf }: Schema): boolean {
  return !properties && !items && !anyOf && typeof additionalProperties !== 'object';
}

function kindOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map((each) => `\`${each}\``).join(', ');
  if (schema.anyOf) return 'one of several forms';
  switch (schema.type) {
    case 'array':
      return schema.items?.anyOf ? 'list, each of one of several forms' : `list of ${plural(schema.items ?? {})}`;
    case 'object':
      return typeof schema.additionalProperties === 'object' && schema.properties === undefined
        ? `map to ${kindOf(schema.additionalProperties)}`
        : 'object';
    case 'integer':
      return `whole number${range(schema.minimum, schema.maximum)}`;
    case 'string':
      return stringKind(schema);
    default:
      return schema.type ?? 'any value';
  }
}

function stringKind({ format, pattern, minLength, maxLength, description }: Schema): string {
  const least = minLength === 1 && maxLength === undefined ? undefined : minLength;
  if (format === 'uri') return 'URL';
  if (pattern?.includes('(s|m|h|d)')) return 'duration';
  if (description === undefined && pattern !== undefined) return `string, \`${pattern.replaceAll('|', '\\|')}\``;
  return least === undefined && maxLength === undefined
    ? 'string'
    : `string of ${least ?? 0} to ${maxLength ?? '…'} characters`;
}

function plural(schema: Schema): string {
  return schema.type === 'object' ? 'objects' : `${schema.type ?? 'value'}s`;
}

/** JSON's own limits of a whole number are no limits that anyone set. */
function range(minimum: number | undefined, maximum: number | undefined): string {
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (most === undefined) return minimum === undefined ? '' : `, at least ${minimum}`;
  return `, ${minimum ?? 0} to ${most}`;
}

function defaultOf(schema: Schema, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined) return '–';
  const text = JSON.stringify(schema.default);
  return text === '{}' || text === '[]' ? 'empty' : `\`${text}\``;
}

if (import.meta.main) {
  for (const [name, text] of Object.entries(makeReference())) writeFileSync(join(folder, name), text);
}
