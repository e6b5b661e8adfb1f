/**
 * Firewalls of services: rules that name addresses and ranges of IPv4. A caller's address is the one its connection
 * comes from: on loopback 127.0.0.1, unless the client binds another of 127.0.0.0/8 (`localAddress`), which all reach
 * the same listeners.
 */

import { BlockList, isIPv4 } from 'node:net';
import type { Json } from '../contract/index.ts';
import { isObject, textOf } from './fields.ts';

/** Does one of the rules (`{ value: '20.1.2.0/24' }`) name the caller's address? */
export function isNamed(rules: Json | undefined, address: string | undefined): boolean {
  const caller = (address ?? '').replace(/^::ffff:/, '');
  if (!isIPv4(caller)) return false;
  const named = new BlockList();
  for (const rule of Array.isArray(rules) ? rules : []) {
    const [base = '', prefix] = textOf(isObject(rule) ? rule.value : undefined).split('/');
    if (!isIPv4(base)) continue;
    if (prefix === undefined) named.addAddress(base);
    else named.addSubnet(base, Number(prefix));
  }
  return named.check(caller);
}
