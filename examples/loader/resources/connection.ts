import { z } from 'zod';
import { type JsonObject } from '../json.ts';

const CATEGORIES = {
  python_feed: 'PythonFeed',
  git: 'Git',
  container_registry: 'ContainerRegistry',
  generic: 'Generic',
} as const;

export const Connection = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  type: z.enum(Object.keys(CATEGORIES) as [keyof typeof CATEGORIES, ...(keyof typeof CATEGORIES)[]]),
  target: z.url(),
  credentials: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('pat'), pat: z.string() }),
    z.strictObject({ type: z.literal('username_password'), username: z.string(), password: z.string() }),
    z.strictObject({ type: z.literal('api_key'), key: z.string() }),
  ]),
  is_shared: z.boolean().default(true),
  metadata: z.record(z.string(), z.string()).default({}),
});
export type Connection = z.infer<typeof Connection>;

export function toConnection(connection: Connection): JsonObject {
  return {
    properties: {
      category: CATEGORIES[connection.type],
      target: connection.target,
      isSharedToAll: connection.is_shared,
      metadata: connection.metadata,
      ...toCredentials(connection.credentials),
    },
  };
}

function toCredentials(credentials: Connection['credentials']): JsonObject {
  switch (credentials.type) {
    case 'pat':
      return { authType: 'PAT', credentials: { pat: credentials.pat } };
    case 'username_password':
      return {
        authType: 'UsernamePassword',
        credentials: { username: credentials.username, password: credentials.password },
      };
    default:
      return { authType: 'ApiKey', credentials: { key: credentials.key } };
  }
}
