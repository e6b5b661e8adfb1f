/** Functions over IP ranges, IPv4 and IPv6. */

import { LanguageError } from '../language/language-error.ts';
import { expectInteger, expectString, textOf } from '../language/values.ts';
import type { JsonObject } from '../../contract/index.ts';
import { define } from './define.ts';

interface Range {
  /** The lowest address. */
  network: bigint;
  prefix: number;
  /** 32 or 128. */
  bits: number;
}

function invalid(call: string, text: string): LanguageError {
  return new LanguageError(
    `The template language function '${call}': the value '${text}' is not a valid IP address range in CIDR notation. Please see https://aka.ms/arm-functions#${call.toLowerCase()} for usage details.`,
  );
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

function parse(call: string, text: string): Range {
  const [address = '', length = '', ...rest] = text.split('/');
  const bits = address.includes(':') ? 128 : 32;
  const value = bits === 128 ? parseV6(address) : parseV4(address);
  const prefix = Number(length);
  if (value === undefined || rest.length > 0 || !/^\d+$/.test(length) || prefix > bits) throw invalid(call, text);
  return { network: (value >> BigInt(bits - prefix)) << BigInt(bits - prefix), prefix, bits };
}

function show(address: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((match) => match[0]);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return groups.join(':');
  const [before, after] = splitOnce(groups.join(':'), longest);
  return `${before}::${after.replace(/^:/, '')}`;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + by.length)];
}

function hosts({ network, prefix, bits }: Range): { first: bigint; last: bigint } {
  const last = network + (1n << BigInt(bits - prefix)) - 1n;
  return bits === 32 && prefix < 31 ? { first: network + 1n, last: last - 1n } : { first: network, last };
}

function describe(range: Range): JsonObject {
  const { network, prefix, bits } = range;
  const { first, last } = hosts(range);
  const all = (1n << BigInt(bits)) - 1n;
  const netmask = (all >> BigInt(bits - prefix)) << BigInt(bits - prefix);
  return {
    network: show(network, bits),
    netmask: show(netmask, bits),
    ...(bits === 32 ? { broadcast: show(network + (1n << BigInt(bits - prefix)) - 1n, bits) } : {}),
    firstUsable: show(first, bits),
    lastUsable: show(last, bits),
    cidr: prefix,
  };
}

export const cidrFunctions = [
  define('parseCidr', 1, 1, ([text], _, call) => describe(parse(call, expectString(call, text)))),
  define('cidrSubnet', 3, 3, ([text, length, index], _, call) => {
    const range = parse(call, expectString(call, text));
    const prefix = expectInteger(call, length);
    const at = expectInteger(call, index);
    if (prefix < range.prefix || prefix > range.bits || at < 0 || BigInt(at) >= 1n << BigInt(prefix - range.prefix)) {
      throw new LanguageError(
        `The template language function '${call}': the range '${textOf(text ?? null)}' has no subnet /${prefix} with index ${at}.`,
      );
    }
    return `${show(range.network + (BigInt(at) << BigInt(range.bits - prefix)), range.bits)}/${prefix}`;
  }),
  define('cidrHost', 2, 2, ([text, index], _, call) => {
    const range = parse(call, expectString(call, text));
    // The documentation counts hosts of either family from the address after the network's own.
    const address =
      range.network + (range.bits === 32 && range.prefix >= 31 ? 0n : 1n) + BigInt(expectInteger(call, index));
    if (address < range.network || address > hosts(range).last) {
      throw new LanguageError(
        `The template language function '${call}': the range '${textOf(text ?? null)}' has no host with index ${textOf(index ?? null)}.`,
      );
    }
    return show(address, range.bits);
  }),
];
