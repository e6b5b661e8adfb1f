/** What is refused of any document of the product: it is named, with what is there, who wrote it, and what to do. */
import { expect } from 'vitest';
import { release } from '../../src/release.ts';
import type { FakeControlStore } from '../fakes/control-store.ts';

export interface Refusals {
  store: FakeControlStore;
  /** What the document is called in messages. */
  what: string;
  version: number;
  /** A document that is there and whole. */
  place: string;
  read: () => Promise<unknown>;
  /** Where its form is broken (`entry.hop`); what is there is replaced by `true`. */
  field: string;
  code?: string;
  /** Where this reader gives advice of its own. */
  next?: string;
}

/** Spoils the document in its store in each way, and reads it again; leaves it whole. */
export async function expectRefusals(refusals: Refusals): Promise<void> {
  const { store, what, version, place, read, field, code = 'ControlStoreError', next } = refusals;
  const whole = store.documents.get(place)?.text ?? '';
  const name = `${what} "${place}"`;
  const writtenBy = { version, release: '0.9.0' };
  const otherRelease = next ?? expect.stringMatching(/^Use the release that wrote it/);
  const restore = next ?? expect.stringMatching(/^It was altered since: put it back from a backup/);
  const refuses = async (spoil: (document: object) => object, message: string, advice: unknown) => {
    const document = JSON.parse(whole) as object;
    await store.write(place, JSON.stringify(spoil(document)), 'application/json');
    await expect(read()).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      details: { place, next: advice },
    });
  };
  await refuses(
    (document) => ({ ...document, version: version + 1, release: '0.9.0' }),
    `${name}: expected version ${version}, which release ${release} reads; it has version ${version + 1} and was written by release 0.9.0`,
    otherRelease,
  );
  await refuses(
    (document) => ({ ...document, version: undefined, release: undefined }),
    `${name}: expected version ${version}, which release ${release} reads; it has no version and names no release`,
    otherRelease,
  );
  await refuses(
    (document) => ({ ...withSpoilt(document, field.split('.')), ...writtenBy }),
    `${name}, written by release 0.9.0: ${field}: Invalid input`,
    restore,
  );
  await refuses(
    (document) => ({ ...document, ...writtenBy, surplus: 1 }),
    `${name}, written by release 0.9.0: Unrecognized key: "surplus"`,
    restore,
  );
  await store.write(place, whole, 'application/json');
  await read();
}

function withSpoilt(value: unknown, [key, ...rest]: string[]): object {
  if (key === undefined) return true as unknown as object;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  const fields = copy as Record<string, unknown>;
  fields[key] = withSpoilt(fields[key], rest);
  return copy;
}
