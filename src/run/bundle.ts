/**
 * What a run needs of the user's files. It is read when the run is started or registered: no step reads the user's
 * disk.
 */
import { z } from 'zod';
import { documentKind } from '../control-store/document.ts';
import { Topology } from '../topology/topology.ts';

export const Bundle = z.strictObject({
  /** The topology as it was read. */
  topology: Topology,
  /** Per region: the ARM template (compiled) and its parameters. */
  templates: z.record(
    z.string(),
    z.strictObject({ source: z.string(), template: z.unknown(), parameters: z.unknown() }),
  ),
});
export type Bundle = z.infer<typeof Bundle>;

export const bundles = documentKind('bundle', 2, Bundle);
export const bundleFolder = 'bundles';
