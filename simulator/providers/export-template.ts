/** A resource group as a template: what `exportTemplate` answers. */

import { isObject, textOf } from '../http/fields.ts';
import { parseResourceId } from '../http/ids.ts';
import { ArmError, type Call, type Cloud, type Json, type JsonObject, type Resource } from '../provider.ts';

/** Members that a template of a resource has. */
const KEPT = [
  'location',
  'tags',
  'sku',
  'kind',
  'plan',
  'zones',
  'identity',
  'managedBy',
  'extendedLocation',
];
/** What a service sets: at the top of properties, and of every part of them. */
const READ_ONLY = new Set(['provisioningState', 'resourceGuid', 'creationDate', 'uniqueId', 'etag']);
const NOT_EXPORTED = /^Microsoft\.Resources\/(deployments|tags)(\/|$)/i;

interface Named {
  resource: Resource;
  /** The expression (without brackets) that gives the resource's id in the template. */
  idExpression: string;
  nameExpression: string;
  parent: string | undefined;
}

/** The template of a group's resources; `body.resources` names some of them, or '*'. */
export function exportGroup({ cloud, id, body }: Call): JsonObject {
  const wanted = Array.isArray(body.resources) ? body.resources.map(textOf) : ['*'];
  const isAll = wanted.includes('*');
  const ids = new Set(wanted.map((one) => one.toLowerCase()));
  const exported = cloud.store
    .below(id.id)
    .filter(({ resource }) => !NOT_EXPORTED.test(resource.type))
    .filter(({ resource }) => isAll || ids.has(resource.id.toLowerCase()))
    .sort((a, b) => a.createdAt - b.createdAt || a.resource.id.length - b.resource.id.length);
  for (const one of wanted) if (one !== '*') requireIn(cloud, one, id.id);
  const parameters: JsonObject = {};
  const named = new Map<string, Named>();
  for (const { resource } of exported) {
    const one = nameOf(resource, parameters);
    named.set(resource.id.toLowerCase(), one);
  }
  const resources = [...named.values()].map((one) => describe(cloud, one, named));
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

/** A resource at the top has a parameter for its name; one below spells its names after it. */
function nameOf(resource: Resource, parameters: JsonObject): Named {
  const { type = '', names = [], parent } = parseResourceId(resource.id) ?? {};
  const [namespace = '', first = ''] = type.split('/');
  const [top = '', ...below] = names;
  const parameter = `${first}_${top}_name`.replaceAll(/[^A-Za-z0-9_]/g, '_');
  if (parent === undefined || parameters[parameter] === undefined)
    parameters[parameter] ??= { defaultValue: top, type: 'String' };
  const name = `parameters('${parameter}')`;
  const rest = below.map((each) => `'${each.replaceAll("'", "''")}'`);
  return {
    resource,
    parent,
    nameExpression:
      below.length === 0 ? name : `concat(${name}, '/${below.join('/').replaceAll("'", "''")}')`,
    idExpression: `resourceId('${namespace}/${type.split('/').slice(1).join('/')}', ${[name, ...rest].join(', ')})`,
  };
}

function describe(cloud: Cloud, one: Named, named: ReadonlyMap<string, Named>): JsonObject {
  const shown = cloud.showResource(one.resource.id) ?? one.resource;
  const needs = new Set<string>();
  const parent = one.parent === undefined ? undefined : named.get(one.parent.toLowerCase());
  if (parent) needs.add(`[${parent.idExpression}]`);
  const kept = KEPT.flatMap((field): [string, Json][] =>
    shown[field] === undefined ? [] : [[field, portable(shown[field], one, named, needs)]],
  );
  const properties = portable(withoutReadOnly(shown.properties), one, named, needs);
  return {
    type: shown.type,
    apiVersion: '2024-04-01',
    name: `[${one.nameExpression}]`,
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
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, portable(item, one, named, needs)]),
  );
}

function withoutReadOnly(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutReadOnly);
  if (!isObject(value)) return value;
  // A part that is shown within its resource has an id and an etag, as no part that refers to something has.
  const isPart = value.etag !== undefined && value.id !== undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !READ_ONLY.has(key) && !(isPart && (key === 'id' || key === 'type')))
      .map(([key, item]) => [key, withoutReadOnly(item)]),
  );
}
