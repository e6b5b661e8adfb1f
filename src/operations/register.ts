/** The bundle that is registered in the control store: a run that was given no bundle uses it. */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import type { ControlStore } from '../control-store/store.ts';
import { UnderstudyError } from '../errors/error.ts';
import { bundleFolder, bundles } from '../run/bundle.ts';
import type { Session } from './session.ts';

const name = 'registered.json';

export const Registered = z.strictObject({
  /** Digest. */
  bundle: z.string(),
  by: z.string(),
  /** ISO 8601. */
  at: z.string(),
});
export type Registered = z.infer<typeof Registered>;

const registrations = documentKind('registration', 2, Registered);

/** Undefined if nothing is registered. */
export async function readRegistered(store: ControlStore): Promise<Registered | undefined> {
  return (await registrations.read(store, name))?.value;
}

/** PreconditionError if none is registered. */
export async function requireRegistered(store: ControlStore): Promise<Registered> {
  const registered = await readRegistered(store);
  if (registered) return registered;
  throw new UnderstudyError('PreconditionError', 'no topology is registered in the control store', {
    next: 'Register it, with its templates: understudy register.',
  });
}

/** Registers the session's topology and templates. False: they are registered already. */
export async function register(session: Session, by: string): Promise<{ registered: Registered; changed: boolean }> {
  const { store } = session;
  const bundle = await bundles.seal(store, bundleFolder, await session.bundle());
  for (;;) {
    const found = await registrations.read(store, name);
    if (found?.value.bundle === bundle) return { registered: found.value, changed: false };
    const registered = { bundle, by, at: new Date().toISOString() };
    if (await registrations.swap(store, name, registered, found?.etag)) return { registered, changed: true };
  }
}

/** The first run registers what it uses; a later one does not change what is registered. */
export async function registerIfNone(store: ControlStore, bundle: string, by: string): Promise<void> {
  if (await readRegistered(store)) return;
  await registrations.swap(store, name, { bundle, by, at: new Date().toISOString() }, undefined);
}
