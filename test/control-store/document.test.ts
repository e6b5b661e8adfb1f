/** What cannot be read is named: the document, the place in it, what is there, who wrote it, and what to do. */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { documentKind } from '../../src/control-store/document.ts';
import { release } from '../../src/release.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';

const letters = documentKind('letter', 2, z.strictObject({ to: z.strictObject({ name: z.string() }) }));
const letter = { to: { name: 'Ada' } };
let store: FakeControlStore;
beforeEach(() => {
  store = fakeControlStore();
});

describe('a document', () => {
  it('says which version it has and which release wrote it, and its reader does not see them', async () => {
    await letters.swap(store, 'a.json', letter, undefined);
    expect((await store.read('a.json'))?.value).toEqual({ ...letter, version: 2, release });
    const found = await letters.read(store, 'a.json');
    expect(found?.value).toEqual(letter);
    expect(await letters.swap(store, 'a.json', { to: { name: 'Bob' } }, found?.etag)).toBe(true);
    expect(await letters.read(store, 'b.json')).toBeUndefined();
  });

  it('is not written where it could not be read again', async () => {
    const more = { to: { name: 'Ada', street: 'Main' } };
    await expect(letters.swap(store, 'a.json', more, undefined)).rejects.toThrow(
      /letter "a\.json" was not written, since it could not be read again: to: .*street/,
    );
    await expect(letters.seal(store, 'letters', more)).rejects.toMatchObject({ code: 'ControlStoreError' });
    expect([...store.documents.keys()]).toEqual([]);
  });

  it('is sealed under the digest that it says it will have', async () => {
    const digest = await letters.seal(store, 'letters', letter);
    expect(letters.digest(letter)).toBe(digest);
    expect(await letters.open(store, 'letters', digest)).toEqual(letter);
  });

  const otherRelease = 'Use the release that wrote it, or a new container: controlStore.container in the topology.';
  const damaged =
    'It was altered since: put it back from a backup of the control store, or see "Damaged documents" in docs/operations.md.';
  const foreign = 'Something other than Understudy has written there: put it back from a backup of the control store.';

  it.each([
    [
      'without a version',
      letter,
      `letter "a.json": expected version 2, which release ${release} reads; it has no version and names no release`,
      otherRelease,
    ],
    [
      'of an older version',
      { ...letter, version: 1 },
      `letter "a.json": expected version 2, which release ${release} reads; it has version 1 and names no release`,
      otherRelease,
    ],
    [
      'of a newer release',
      { whatever: true, version: 3, release: '0.9.0' },
      `letter "a.json": expected version 2, which release ${release} reads; it has version 3 and was written by release 0.9.0`,
      otherRelease,
    ],
    [
      'of another build of this release',
      { ...letter, version: 1, release },
      `letter "a.json": expected version 2, which release ${release} reads; it has version 1 and was written by another build of release ${release}`,
      'Use the build that wrote it, or a new container: controlStore.container in the topology.',
    ],
    [
      'with something else in a field',
      { to: { name: 7 }, version: 2, release: '0.2.0' },
      'letter "a.json", written by release 0.2.0: to.name: Invalid input: expected string, received number',
      damaged,
    ],
    [
      'with a field that it should not have',
      { ...letter, secret: 1, version: 2, release: '0.2.0' },
      'letter "a.json", written by release 0.2.0: Unrecognized key: "secret"',
      damaged,
    ],
    [
      'that names no release',
      { to: {}, version: 2 },
      'letter "a.json", which names no release: to.name: Invalid input: expected string, received undefined',
      damaged,
    ],
    ['that is a list', [letter], 'letter "a.json": expected an object, got a list', foreign],
    ['that is null', null, 'letter "a.json": expected an object, got null', foreign],
    ['that is a text', 'x', 'letter "a.json": expected an object, got string', foreign],
  ])('%s is refused by name', async (_what, value, message, next) => {
    await store.swap('a.json', value, undefined);
    const refusal = { code: 'ControlStoreError', message, details: { place: 'a.json', next } };
    await expect(letters.read(store, 'a.json')).rejects.toMatchObject(refusal);
  });

  it('that was sealed otherwise is refused by its name, too', async () => {
    const digest = await store.seal('letters', letter);
    await expect(letters.open(store, 'letters', digest)).rejects.toMatchObject({
      code: 'ControlStoreError',
      message: expect.stringContaining(`letter "letters/${digest}.json": expected version 2`),
    });
  });
});
