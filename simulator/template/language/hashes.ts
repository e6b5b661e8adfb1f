/** Azure's own hashes: the same arguments give the same names here as there. */

import { createHash } from 'node:crypto';

/** Azure's namespace for `guid()`. Source: Bicep's documentation of string functions. */
const GUID_NAMESPACE = Buffer.from('11fb06fb712d4ddd98c7e71bbd588830', 'hex');

/** A UUID of version 5 over the arguments joined by '-'. */
export function hashedGuid(args: string[]): string {
  const digest = createHash('sha1').update(GUID_NAMESPACE).update(args.join('-'), 'utf8').digest().subarray(0, 16);
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** `uniqueString`: 13 characters of a-z and 2-7 over the arguments joined by '-'. */
export function uniqueText(args: string[]): string {
  let hash = murmur64(Buffer.from(args.join('-'), 'utf8'));
  let text = '';
  for (let index = 0; index < 13; index += 1) {
    text += 'abcdefghijklmnopqrstuvwxyz234567'.charAt(Number(hash >> 59n));
    hash = BigInt.asUintN(64, hash << 5n);
  }
  return text;
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789;

function times(a: number, b: number): number {
  return Math.imul(a, b) >>> 0;
}
function plus(a: number, b: number): number {
  return (a + b) >>> 0;
}
function xor(a: number, b: number): number {
  return (a ^ b) >>> 0;
}
function rotate(value: number, by: number): number {
  return ((value << by) | (value >>> (32 - by))) >>> 0;
}
function scramble(value: number): number {
  const once = times(xor(value, value >>> 16), 0x85ebca6b);
  const twice = times(xor(once, once >>> 13), 0xc2b2ae35);
  return xor(twice, twice >>> 16);
}
function first(block: number): number {
  return times(rotate(times(block, C1), 15), C2);
}
function second(block: number): number {
  return times(rotate(times(block, C2), 17), C1);
}

/** MurmurHash in the variant that Azure uses: two lanes of 32 bits over blocks of 8 bytes, seed 0. */
function murmur64(data: Buffer): bigint {
  let h1 = 0;
  let h2 = 0;
  const whole = data.length - (data.length % 8);
  for (let at = 0; at < whole; at += 8) {
    h1 = plus(times(plus(rotate(xor(h1, first(data.readUInt32LE(at))), 19), h2), 5), 0x561ccd1b);
    h2 = plus(times(plus(rotate(xor(h2, second(data.readUInt32LE(at + 4))), 13), h1), 5), 0x0bcaa747);
  }
  const tail = data.length - whole;
  if (tail > 0) h1 = xor(h1, first(data.readUIntLE(whole, Math.min(tail, 4))));
  if (tail > 4) h2 = xor(h2, second(data.readUIntLE(whole + 4, tail - 4)));
  h1 = xor(h1, data.length);
  h2 = xor(h2, data.length);
  h1 = plus(h1, h2);
  h2 = plus(h2, h1);
  h1 = scramble(h1);
  h2 = scramble(h2);
  h1 = plus(h1, h2);
  h2 = plus(h2, h1);
  return (BigInt(h2) << 32n) | BigInt(h1);
}
