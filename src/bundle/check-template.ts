/**
 * Finds what ARM would refuse in a template and its parameters before anything depends on it. Otherwise a run would
 * find it in the middle of a failover. What only ARM can evaluate is not checked.
 */
import { z } from 'zod';
import { isObject } from '../azure/body/json.ts';
import { showValue } from '../topology/describe-issue.ts';
import type { Region } from '../topology/topology.ts';
import { findCircle } from './find-circle.ts';

const Parameter = z.looseObject({
  type: z.string().optional(),
  $ref: z.string().optional(),
  defaultValue: z.unknown().optional(),
  nullable: z.boolean().optional(),
  allowedValues: z.array(z.unknown()).optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minValue: z.number().optional(),
  maxValue: z.number().optional(),
});
type Parameter = z.infer<typeof Parameter>;

const Resource = z.looseObject({ type: z.string(), name: z.unknown(), location: z.unknown() });

/** With symbolic names (`languageVersion` 2.0), resources are an object instead of a list. */
const Template = z.looseObject({
  parameters: z.record(z.string(), Parameter).optional(),
  resources: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
});
type Template = z.infer<typeof Template>;

const Value = z.union([z.looseObject({ value: z.unknown() }), z.looseObject({ reference: z.looseObject({}) })]);
const Values = z.record(z.string(), Value);
type Values = z.infer<typeof Values>;

/** A problem in a template or its parameters. */
export interface TemplateProblem {
  /** Which of the two files. */
  of: 'file' | 'parameters';
  message: string;
}

/** Returns everything that is wrong. `region`: the region that the template should build. */
export function checkTemplate(
  region: { name: string; workspace: Region['workspace'] },
  given: { template: unknown; parameters: unknown },
): TemplateProblem[] {
  const template = Template.safeParse(given.template);
  if (!template.success) {
    const message = `expected an ARM template (an object with "resources"), got ${showValue(given.template)}`;
    return [{ of: 'file', message }];
  }
  const shape = parametersShape(given.parameters);
  if (typeof shape === 'string') return [{ of: 'parameters', message: shape }];
  const problems = [...checkOrder(template.data), ...checkParameters(template.data, shape)];
  return problems.length > 0 ? problems : checkWorkspace(region, template.data, shape);
}

function parametersShape(given: unknown): Values | string {
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    return `expected an ARM parameters file (an object), got ${showValue(given)}`;
  const wrong = Object.entries(given).find(([, value]) => !Value.safeParse(value).success);
  if (wrong) return `${wrong[0]}: expected { "value": … } or { "reference": … }, got ${showValue(wrong[1])}`;
  return Values.parse(given);
}

function checkOrder({ resources }: Template): TemplateProblem[] {
  const circle = findCircle(resources);
  if (circle === undefined) return [];
  const message = `dependsOn: expected an order in which resources can be made, got a circle: ${circle.join(' → ')}`;
  return [{ of: 'file', message }];
}

function checkParameters(template: Template, values: Values): TemplateProblem[] {
  const declared = Object.entries(template.parameters ?? {});
  // Parameter names ignore case.
  const given = new Map(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));
  const names = new Set(declared.map(([name]) => name.toLowerCase()));
  const unknown = Object.keys(values).filter((name) => !names.has(name.toLowerCase()));
  const known = declared.length === 0 ? 'none' : declared.map(([name]) => name).join(', ');
  return [
    ...unknown.map((name) => `${name}: the template has no such parameter; it has ${known}`),
    ...declared.flatMap(([name, parameter]) => {
      const value = given.get(name.toLowerCase());
      if (value !== undefined && 'reference' in value) return [];
      const wrong =
        value === undefined || value.value === undefined || value.value === null
          ? missing(parameter)
          : wrongValue(parameter, value.value);
      return wrong === undefined ? [] : [`${name}: ${wrong}`];
    }),
  ].map((message) => ({ of: 'parameters', message }));
}

function missing({ defaultValue, nullable, type }: Parameter): string | undefined {
  if (defaultValue !== undefined || nullable === true) return undefined;
  return `missing: the template has no default for it; expected a value of type ${type ?? 'any'}`;
}

function wrongValue(parameter: Parameter, value: unknown): string | undefined {
  const {
    type,
    allowedValues,
    minLength = 0,
    maxLength = Infinity,
    minValue = -Infinity,
    maxValue = Infinity,
  } = parameter;
  const secret = type?.toLowerCase().startsWith('secure') === true;
  const got = secret ? 'another' : showValue(value);
  const expected = typesOf[type?.toLowerCase() ?? ''];
  if (expected && !expected(value)) return `expected a value of type ${type}, got ${got}`;
  if (allowedValues && !allowedValues.some((each) => JSON.stringify(each) === JSON.stringify(value)))
    return `expected one of ${allowedValues.map((each) => showValue(each)).join(', ')}, got ${got}`;
  if (typeof value === 'number' && (value < minValue || value > maxValue))
    return `expected ${between(minValue, maxValue)}, got ${value}`;
  if (typeof value === 'string' || Array.isArray(value)) {
    const { length } = value;
    const unit = typeof value === 'string' ? 'characters' : 'items';
    if (length < minLength || length > maxLength)
      return `expected ${between(minLength, maxLength)} ${unit}, got ${length}`;
  }
  return undefined;
}

function between(least: number, most: number): string {
  if (most === Infinity) return `at least ${least}`;
  return least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
}

const typesOf: Record<string, ((value: unknown) => boolean) | undefined> = {
  string: (value) => typeof value === 'string',
  securestring: (value) => typeof value === 'string',
  int: Number.isInteger,
  bool: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: isObject,
  secureobject: isObject,
};

const workspaceType = 'microsoft.machinelearningservices/workspaces';

/** It is easy to use the other region's parameters by mistake: they would build its workspace a second time. */
function checkWorkspace(
  region: { name: string; workspace: Region['workspace'] },
  template: Template,
  values: Values,
): TemplateProblem[] {
  const resources = Object.values(template.resources).flatMap((each) => {
    const parsed = Resource.safeParse(each);
    return parsed.success && parsed.data.type.toLowerCase() === workspaceType ? [parsed.data] : [];
  });
  const [workspace] = resources;
  if (resources.length !== 1 || !workspace) return [];
  const plain = (what: unknown) => plainValue(what, template, values);
  return [
    ...differs('name', plain(workspace.name), region.workspace.name, (text) => text.toLowerCase()),
    ...differs('location', plain(workspace.location), region.name, (text) => text.toLowerCase().replaceAll(' ', '')),
  ];
}

function differs(
  what: string,
  built: string | undefined,
  declared: string,
  normal: (text: string) => string,
): TemplateProblem[] {
  if (built === undefined || normal(built) === normal(declared)) return [];
  const message = `with these the template builds a workspace whose ${what} is "${built}"; the topology says "${declared}"`;
  return [{ of: 'parameters', message }];
}

/** Returns the text itself, or that of the one parameter it names. Undefined if only ARM can evaluate it. */
function plainValue(what: unknown, template: Template, values: Values): string | undefined {
  if (typeof what !== 'string') return undefined;
  const name = /^\[parameters\('([^']+)'\)\]$/i.exec(what)?.[1]?.toLowerCase();
  if (name === undefined) return what.startsWith('[') && !what.startsWith('[[') ? undefined : what;
  const byName = <T>(from: Record<string, T>) => Object.entries(from).find(([key]) => key.toLowerCase() === name)?.[1];
  const given = byName(values);
  if (given !== undefined && 'reference' in given) return undefined;
  const value = given?.value ?? byName(template.parameters ?? {})?.defaultValue;
  return typeof value === 'string' && !value.startsWith('[') ? value : undefined;
}
