/** The topology's JSON Schema, for editors. */
import { z } from 'zod';
import { Topology } from './topology.ts';

/** Returns the JSON Schema of a topology. */
export function topologyJsonSchema(): object {
  const schema = z.toJSONSchema(Topology, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'Understudy topology' };
}
