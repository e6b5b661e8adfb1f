/**
 * Makes the data files of the fraud example, the same bytes for the same seed: transactions as CSV in two quarters, a
 * table of merchants, and many small files of device events. Rows stream to disk, so any size fits in memory.
 *
 *   node data/make-data.ts --out data/generated [--megabytes 24] [--files 6] [--small-files 40] [--seed 7]
 */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface DataOptions {
  out: string;
  /** Size of all transaction files together, in millions of bytes. */
  megabytes: number;
  /** Number of transaction files, half of them in each quarter. */
  files: number;
  smallFiles: number;
  seed: number;
}

export interface MadeData {
  files: number;
  bytes: number;
  rows: number;
}

const COLUMNS =
  'transaction_id,occurred_at,amount,merchant_id,card_present,account_age_days,distance_km,previous_day_count,night,is_fraud\n';
const CATEGORIES = [
  'grocery',
  'fuel',
  'travel',
  'electronics',
  'gaming',
  'restaurant',
  'pharmacy',
  'jewellery',
];
const QUARTERS = [
  { folder: '2025-q3', start: Date.UTC(2025, 6, 1) },
  { folder: '2025-q4', start: Date.UTC(2025, 9, 1) },
];
/** Written to the stream in pieces of about this size, rather than row by row. */
const CHUNK_BYTES = 1 << 16;

/** mulberry32: a 32-bit generator of uniform numbers in [0, 1), the same on every machine. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** One transaction. Fraud is likelier when it is costly, far away, at night, on a young account, and without the card. */
function transaction(random: () => number, id: number, occurredAt: number): string {
  const amount = 5 + 900 * random() ** 4;
  const distanceKm = 2500 * random() ** 6;
  const accountAgeDays = Math.floor(3000 * random());
  const previousDayCount = Math.floor(12 * random() ** 3);
  const cardPresent = random() < 0.7 ? 1 : 0;
  const hour = new Date(occurredAt).getUTCHours();
  const night = hour < 6 ? 1 : 0;
  const merchant = Math.floor(500 * random());
  const evidence =
    amount / 220 +
    distanceKm / 420 +
    previousDayCount / 4 +
    1.2 * night -
    accountAgeDays / 900 -
    1.6 * cardPresent;
  const fraud = random() < 1 / (1 + Math.exp(6.2 - 1.6 * evidence)) ? 1 : 0;
  return [
    `t${String(id).padStart(9, '0')}`,
    new Date(occurredAt).toISOString(),
    amount.toFixed(2),
    `m${String(merchant).padStart(3, '0')}`,
    cardPresent,
    accountAgeDays,
    distanceKm.toFixed(1),
    previousDayCount,
    night,
    fraud,
  ]
    .join(',')
    .concat('\n');
}

/** Writes pieces to a file, waiting whenever the disk is behind; answers the bytes written. */
async function writeFile(path: string, pieces: Iterable<string>): Promise<number> {
  const stream: WriteStream = createWriteStream(path);
  const closed = once(stream, 'close');
  let bytes = 0;
  let chunk = '';
  const flush = async () => {
    bytes += Buffer.byteLength(chunk);
    if (!stream.write(chunk)) await once(stream, 'drain');
    chunk = '';
  };
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length >= CHUNK_BYTES) await flush();
  }
  if (chunk !== '') await flush();
  stream.end();
  await closed;
  return bytes;
}

function* transactions(
  random: () => number,
  bytes: number,
  firstId: number,
  startsAt: number,
  counted: (rows: number) => void,
) {
  yield COLUMNS;
  let written = COLUMNS.length;
  let occurredAt = startsAt;
  let rows = 0;
  while (written < bytes) {
    occurredAt += 1000 * Math.ceil(60 * random());
    const row = transaction(random, firstId + rows, occurredAt);
    written += row.length;
    rows += 1;
    yield row;
  }
  counted(rows);
}

function* merchants(random: () => number) {
  yield 'merchant_id,category,country,risk\n';
  for (let merchant = 0; merchant < 500; merchant++) {
    const category = CATEGORIES[Math.floor(CATEGORIES.length * random())] ?? 'other';
    const country = ['US', 'CA', 'GB', 'DE', 'BR'][Math.floor(5 * random())] ?? 'US';
    yield `m${String(merchant).padStart(3, '0')},${category},${country},${random().toFixed(3)}\n`;
  }
}

function* deviceEvents(random: () => number, day: number) {
  const start = Date.UTC(2025, 9, 1) + day * 86_400_000;
  for (let event = 0; event < 40; event++) {
    yield `${JSON.stringify({
      at: new Date(start + Math.floor(86_400_000 * random())).toISOString(),
      device: `d${Math.floor(5000 * random())}`,
      event: ['login', 'pin-change', 'new-device', 'logout'][Math.floor(4 * random())],
    })}\n`;
  }
}

/** Makes everything below `out`, in a layout that the data assets beside this file name. */
export async function makeData(options: DataOptions): Promise<MadeData> {
  const random = uniform(options.seed);
  const made: MadeData = { files: 0, bytes: 0, rows: 0 };
  const write = async (folder: string, name: string, pieces: Iterable<string>) => {
    await mkdir(join(options.out, folder), { recursive: true });
    made.bytes += await writeFile(join(options.out, folder, name), pieces);
    made.files += 1;
  };
  const bytesEach = Math.ceil((options.megabytes * 1e6) / options.files);
  for (let file = 0; file < options.files; file++) {
    const quarter = QUARTERS[file < options.files / 2 ? 0 : 1] ?? QUARTERS[0]!;
    const startsAt = quarter.start + file * 86_400_000 * 7;
    const rows = transactions(random, bytesEach, made.rows + 1, startsAt, (count) => (made.rows += count));
    await write(join('transactions', quarter.folder), `transactions-${file + 1}.csv`, rows);
  }
  await write('.', 'merchants.csv', merchants(random));
  for (let day = 0; day < options.smallFiles; day++) {
    await write(
      'device-events',
      `events-${String(day + 1).padStart(3, '0')}.jsonl`,
      deviceEvents(random, day),
    );
  }
  return made;
}

function positive(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least)
    throw new Error(`--${name}: expected a number of at least ${least}, got "${text}"`);
  return value;
}

async function main() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      megabytes: { type: 'string', default: '24' },
      files: { type: 'string', default: '6' },
      'small-files': { type: 'string', default: '40' },
      seed: { type: 'string', default: '7' },
    },
  });
  if (values.out === undefined) throw new Error('--out: name the folder to make the data in');
  const made = await makeData({
    out: values.out,
    megabytes: positive('megabytes', values.megabytes, 0.001),
    files: positive('files', values.files),
    smallFiles: positive('small-files', values['small-files'], 0),
    seed: positive('seed', values.seed, 0),
  });
  process.stdout.write(`${JSON.stringify({ out: values.out, ...made })}\n`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
}
