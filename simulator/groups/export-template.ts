/** A resource group as a template: what `exportTemplate` answers. */

import { isObject, textOf } from '../resource/fields.ts';
import { parseResourceId } from '../resource/ids.ts';
import { ArmError, type Call, type Cloud, type Json, type JsonObject, type Resource } from '../contract/index.ts';
import { withoutReadOnly } from '../resource/read-only-fields.ts';

/** Members that a template of a resource has. */
const KEPT = ['location', 'tags', 'sku', 'kind', 'plan', 'zones', 'identity', 'managedBy', 'extendedLocation'];
const OPTIONS = [
  'None',
  'IncludeParameterDefaultValue',
  'IncludeComments',
  'SkipResourceNameParameterization',
  'SkipAllParameterization',
] as const;
type Option = (typeof OPTIONS)[number];
const NOT_EXPORTED = /^Microsoft\.Resources\/(deployments|tags)(\/|$)/i;

interface Named {
  resource: Resource;
  /** The expression (without brackets) that gives the resource's id in the template. */
  idExpression: string;
  /** As the template has it. */
  name: string;
  parent: string | undefined;
}

/**
 * Throws ArmError 400 for a body that asks for nothing that can be exported: `InvalidRequestContent` for an option that
 * there is not, `ExportTemplateResourceNotFound` for a resource that is not in the group.
 */
export function requireExport({ cloud, id, body }: Call): void {
  optionsOf(body);
  const { resources = ['*'] } = body;
  if (!Array.isArray(resources) || resources.some((one) => typeof one !== 'string'))
    throw invalid("'resources' is invalid: expected a list of resource ids, or of '*' alone.");
  for (const one of resources.map(textOf)) if (one !== '*') requireIn(cloud, one, id.id);
}

/** The template of a group's resources; `body.resources` names some of them, or '*'. */
export function exportGroup({ cloud, id, body }: Call): JsonObject {
  const options = optionsOf(body);
  const wanted = Array.isArray(body.resources) ? body.resources.map(textOf) : ['*'];
  const isAll = wanted.includes('*');
  const ids = new Set(wanted.map((one) => one.toLowerCase()));
  const exported = cloud.store
    .below(id.id)
    .filter(({ resource }) => !NOT_EXPORTED.test(resource.type))
    .filter(({ resource }) => isAll || ids.has(resource.id.toLowerCase()))
    .sort((a, b) => a.createdAt - b.createdAt || a.resource.id.length - b.resource.id.length);
  const parameters: JsonObject = {};
  const named = new Map<string, Named>();
  for (const { resource } of exported) {
    const one = nameOf(resource, parameters, options);
    named.set(resource.id.toLowerCase(), one);
  }
  const resources = [...named.values()]
    .map((one) => describe(cloud, one, named))
    .map((one) => (options.has('IncludeComments') ? { comments: 'Generalized from resource.', ...one } : one));
  const $schema = 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#';
  return { template: { $schema, contentVersion: '1.0.0.0', parameters, variables: {}, resources } };
}

function requireIn(cloud: Cloud, resource: string, group: string): void {
  if (cloud.store.get(resource) && resource.toLowerCase().startsWith(`${group.toLowerCase()}/`)) return;
  throw new ArmError(
    400,
    'ExportTemplateResourceNotFound',
    `The resource '${resource}' to be exported is not in the resource group.`,
  );
}

function optionsOf({ options = 'None' }: JsonObject): ReadonlySet<Option> {
  const asked = textOf(options)
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  return new Set(
    asked.map((one) => {
      const known = OPTIONS.find((option) => option.toLowerCase() === one.toLowerCase());
      if (known) return known;
      throw invalid(`the value '${one}' of 'options' is invalid: expected some of ${OPTIONS.join(', ')}.`);
    }),
  );
}

function invalid(message: string): ArmError {
  return new ArmError(400, 'InvalidRequestContent', `The request content was invalid: ${message}`);
}

/**
 * A resource at the top has a parameter for its name, unless names are to stay; one below spells its names after it.
 */
function nameOf(resource: Resource, parameters: JsonObject, options: ReadonlySet<Option>): Named {
  const { type = '', names = [], parent } = parseResourceId(resource.id) ?? {};
  const [namespace = '', first = ''] = type.split('/');
  const [top = '', ...below] = names;
  const parameter = `${first}_${top}_name`.replaceAll(/[^A-Za-z0-9_]/g, '_');
  const isLiteral = options.has('SkipAllParameterization') || options.has('SkipResourceNameParameterization');
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  if (!isLiteral)
    parameters[parameter] ??= {
      ...(options.has('IncludeParameterDefaultValue') ? { defaultValue: top } : {}),
      type: 'String',
    };
  const name = isLiteral ? quoted(top) : `parameters('${parameter}')`;
  const rest = below.map(quoted);
  return {
    resource,
    parent,
    name: isLiteral
      ? names.join('/')
      : `[${below.length === 0 ? name : `concat(${name}, ${quoted(`/${below.join('/')}`)})`}]`,
    idExpression: `resourceId('${namespace}/${type.split('/').slice(1).join('/')}', ${[name, ...rest].join(', ')})`,
  };
}

function describe(cloud: Cloud, one: Named, named: ReadonlyMap<string, Named>): JsonObject {
  const shown = cloud.showResource(one.resource.id) ?? one.resource;
  const written = withoutReadOnly(shown);
  const needs = new Set<string>();
  const parent = one.parent === undefined ? undefined : named.get(one.parent.toLowerCase());
  if (parent) needs.add(`[${parent.idExpression}]`);
  const kept = KEPT.flatMap((field): [string, Json][] =>
    written[field] === undefined ? [] : [[field, portable(written[field], one, named, needs)]],
  );
  const properties = portable(written.properties ?? {}, one, named, needs);
  return {
    type: shown.type,
    apiVersion: '2024-04-01',
    name: one.name,
    ...Object.fromEntries(kept),
    ...(needs.size > 0 ? { dependsOn: [...needs] } : {}),
    properties,
  };
}

/** Ids of exported resources become expressions, and those resources dependencies. */
function portable(value: Json, one: Named, named: ReadonlyMap<string, Named>, needs: Set<string>): Json {
  if (typeof value === 'string') {
    const target = named.get(value.toLowerCase());
    if (!target) return value.startsWith('[') ? `[${value}` : value;
    if (target !== one) needs.add(`[${target.idExpression}]`);
    return `[${target.idExpression}]`;
  }
  if (Array.isArray(value)) return value.map((item) => portable(item, one, named, needs));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, portable(item, one, named, needs)]));
}
