/** The network rules of a storage account. */

import { BlockList, isIPv4 } from 'node:net';
import { isNamed } from '../resource/address-rules.ts';
import { isObject, textOf } from '../resource/fields.ts';
import type { Json, JsonObject, Stored } from '../contract/index.ts';
import { invalid } from './refusals.ts';

const BYPASSES = ['None', 'Logging', 'Metrics', 'AzureServices'];
const MOST_RULES = 400;
/** What no public caller comes from (RFC 1918): Azure refuses rules for it. */
const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);

/** Checks `properties.networkAcls` and fills in its defaults. Throws ArmError 400. */
export function prepareNetworkAcls(properties: JsonObject): void {
  const { networkAcls } = properties;
  if (networkAcls === undefined || networkAcls === null) return;
  if (!isObject(networkAcls)) throw invalid('networkAcls', 'an object', networkAcls);
  const filled: JsonObject = {
    bypass: 'AzureServices',
    virtualNetworkRules: [],
    ipRules: [],
    defaultAction: 'Allow',
    ...networkAcls,
  };
  const action = ['Allow', 'Deny'].find((one) => one.toLowerCase() === textOf(filled.defaultAction).toLowerCase());
  if (action === undefined) throw invalid('networkAcls.defaultAction', 'Allow or Deny', filled.defaultAction);
  filled.defaultAction = action;
  const bypasses = textOf(filled.bypass).split(',');
  if (!bypasses.every((one) => BYPASSES.includes(one.trim())))
    throw invalid('networkAcls.bypass', `of ${BYPASSES.join(', ')}`, filled.bypass);
  filled.ipRules = rulesOf(filled, 'ipRules').map((rule, i) => {
    checkRange(`networkAcls.ipRules[${i}].value`, rule.value);
    return { action: 'Allow', ...rule };
  });
  filled.virtualNetworkRules = rulesOf(filled, 'virtualNetworkRules').map((rule, i) => {
    if (!/\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i.test(textOf(rule.id)))
      throw invalid(`networkAcls.virtualNetworkRules[${i}].id`, 'the id of a subnet', rule.id);
    return { action: 'Allow', state: 'Succeeded', ...rule };
  });
  properties.networkAcls = filled;
}

function rulesOf(acls: JsonObject, name: string): JsonObject[] {
  const rules = acls[name] ?? [];
  if (!Array.isArray(rules) || !rules.every(isObject)) throw invalid(`networkAcls.${name}`, 'a list of rules', rules);
  if (rules.length > MOST_RULES) throw invalid(`networkAcls.${name}`, `at most ${MOST_RULES} rules`, rules.length);
  return rules;
}

function checkRange(name: string, value: Json | undefined): void {
  const [address = '', prefix, ...rest] = textOf(value).split('/');
  const bits = prefix === undefined ? 32 : Number(prefix);
  if (!isIPv4(address) || rest.length > 0 || !Number.isInteger(bits) || bits < 0 || bits > 32)
    throw invalid(name, 'an IPv4 address or range', value);
  if (prefix !== undefined && bits > 30)
    throw invalid(
      name,
      'an address, or a range of /30 or larger (ranges of /31 and /32 are written as addresses)',
      value,
    );
  if (PRIVATE.check(address)) throw invalid(name, 'an address of the internet, not a private one', value);
}

/** Whether the account's firewall and its public network let a caller of this address in. */
export function admitsCaller(account: Stored, address: string | undefined): boolean {
  const { publicNetworkAccess, networkAcls } = account.resource.properties;
  if (publicNetworkAccess === 'Disabled' || publicNetworkAccess === 'SecuredByPerimeter') return false;
  if (!isObject(networkAcls) || networkAcls.defaultAction !== 'Deny') return true;
  return isNamed(networkAcls.ipRules, address);
}
