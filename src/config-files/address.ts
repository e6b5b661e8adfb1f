import { sameText, type Replacement, type WorkspaceMapping } from './mapping.ts';
import { readSegment, rewriteArmId, rewriteWorkspacePath } from './resource-path.ts';

/** A URL split into parts without changing any character. */
interface Address {
  scheme: string;
  /** Includes its `@`. Empty if there is none. */
  userinfo: string;
  host: string;
  /** Includes its `:`. Empty if there is none. */
  port: string;
  path: string;
  /** Includes its `?`. */
  query: string;
  /** Includes its `#`. */
  fragment: string;
}

const defaultPorts: Readonly<Record<string, string>> = { http: ':80', https: ':443' };
/** Spark's schemes for a storage account's host. They mean the same account as its https endpoint. */
const storageSchemes = new Set(['abfs', 'abfss', 'wasb', 'wasbs']);

function parseAddress(text: string): Address | undefined {
  const match =
    /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]*@)?([^/?#\s@:]+|\[[^\]\s]+\])(:\d+)?(\/[^?#\s]*)?(\?[^#\s]*)?(#\S*)?$/i.exec(
      text,
    );
  if (!match) return undefined;
  const [, scheme = '', userinfo = '', host = '', port = '', path = '', query = '', fragment = ''] = match;
  return { scheme, userinfo, host, port, path, query, fragment };
}

function printAddress(address: Address): string {
  const { scheme, userinfo, host, port, path, query, fragment } = address;
  return `${scheme}://${userinfo}${host}${port}${path}${query}${fragment}`;
}

function pathSegments(path: string): string[] {
  return path.split('/').filter((segment, index, all) => segment !== '' || (index > 0 && index < all.length - 1));
}

function sameOrigin(address: Address, prefix: Address): boolean {
  const scheme = address.scheme.toLowerCase();
  if (!sameText(address.host, prefix.host)) return false;
  if (storageSchemes.has(scheme)) return sameText(prefix.scheme, 'https') && prefix.path.replaceAll('/', '') === '';
  const port = (of: Address): string => of.port || (defaultPorts[of.scheme.toLowerCase()] ?? '');
  return sameText(scheme, prefix.scheme) && port(address) === port(prefix);
}

/** Returns the part of `address` below the prefix (with its leading slash). Undefined if it is not below it. */
function restBelow(address: Address, prefix: Address): string | undefined {
  if (!sameOrigin(address, prefix)) return undefined;
  let rest = address.path;
  for (const part of pathSegments(prefix.path)) {
    const match = /^\/([^/]*)/.exec(rest);
    if (!match || readSegment(match[1] ?? '', 'percent') !== readSegment(part, 'percent')) return undefined;
    rest = rest.slice(match[0].length);
  }
  return rest;
}

function moveToPair(address: Address, pairs: readonly Replacement[]): Address | undefined {
  let best: { depth: number; moved: Address } | undefined;
  for (const pair of pairs) {
    const from = parseAddress(pair.from);
    const to = parseAddress(pair.to);
    if (!from || !to) continue;
    const rest = restBelow(address, from);
    const depth = pathSegments(from.path).length;
    if (rest === undefined || (best && best.depth >= depth)) continue;
    const keepsScheme = storageSchemes.has(address.scheme.toLowerCase());
    const moved: Address = {
      ...address,
      scheme: keepsScheme ? address.scheme : to.scheme,
      host: to.host,
      port: to.port,
      path: to.path.replace(/\/+$/, '') + rest,
    };
    best = { depth, moved };
  }
  return best?.moved;
}

/**
 * In `eastus.api.azureml.ms` and `{guid}.workspace.eastus.api.azureml.ms`, the host contains the workspace's region.
 */
function moveHost(host: string, mapping: WorkspaceMapping, namesWorkspace: boolean): string {
  const labels = host.split('.');
  const guidAt = mapping.workspaceId
    ? labels.findIndex((label) => sameText(label, mapping.workspaceId?.from ?? ''))
    : -1;
  if (mapping.workspaceId && guidAt >= 0) labels[guidAt] = mapping.workspaceId.to;
  if (!namesWorkspace && guidAt < 0) return host;
  return labels
    .map((label, at) => {
      const isRegion = sameText(label, mapping.from.location) && (guidAt >= 0 || at === 0);
      return isRegion ? mapping.to.location : label;
    })
    .join('.');
}

function movePath(path: string, mapping: WorkspaceMapping): string | undefined {
  const count = path.split('/').length;
  for (let start = 1; start < count; start += 1) {
    const moved = rewriteWorkspacePath(path, start, mapping, 'percent');
    if (moved !== undefined) return moved;
  }
  return rewriteArmId(path, mapping, 'percent');
}

/** Links to the studio have the workspace's id in a query parameter (`wsid`), escaped or not. */
function moveQuery(query: string, mapping: WorkspaceMapping): string | undefined {
  let moved = false;
  const parts = query
    .slice(1)
    .split('&')
    .map((part) => {
      const equals = part.indexOf('=');
      if (equals < 0) return part;
      const raw = part.slice(equals + 1);
      const id = rewriteArmId(readSegment(raw, 'percent'), mapping, 'plain');
      if (id === undefined) return part;
      moved = true;
      return part.slice(0, equals + 1) + (/%2f/i.test(raw) ? encodeURIComponent(id) : id);
    });
  return moved ? `?${parts.join('&')}` : undefined;
}

/**
 * Rewrites a URL that refers to the source workspace: by a mapped origin and path prefix (compared part by part), or
 * because its path or a query parameter contains the workspace's id. Undefined if it refers to something else.
 */
export function rewriteAddress(text: string, mapping: WorkspaceMapping): string | undefined {
  const address = parseAddress(text);
  if (!address) return undefined;
  const paired = moveToPair(address, mapping.urls);
  const current = paired ?? address;
  const path = movePath(current.path, mapping);
  const query = moveQuery(current.query, mapping);
  const host = paired ? paired.host : moveHost(current.host, mapping, path !== undefined);
  const moved = printAddress({ ...current, host, path: path ?? current.path, query: query ?? current.query });
  return moved === text ? undefined : moved;
}
