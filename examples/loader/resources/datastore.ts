import { z } from 'zod';
import { Texts } from '../fields.ts';
import { compact, type JsonObject } from '../json.ts';

export const BlobDatastore = z.strictObject({
  $schema: z.string(),
  name: z.string(),
  type: z.literal('azure_blob'),
  description: z.string().optional(),
  account_name: z.string(),
  container_name: z.string(),
  endpoint: z.string().default('core.windows.net'),
  protocol: z.enum(['https', 'wasbs']).default('https'),
  credentials: z
    .union([z.strictObject({ account_key: z.string() }), z.strictObject({ sas_token: z.string() })])
    .optional(),
  tags: Texts.optional(),
});
export type BlobDatastore = z.infer<typeof BlobDatastore>;

export function toDatastore(datastore: BlobDatastore): JsonObject {
  return {
    properties: compact({
      datastoreType: 'AzureBlob',
      description: datastore.description,
      tags: datastore.tags ?? {},
      accountName: datastore.account_name,
      containerName: datastore.container_name,
      endpoint: datastore.endpoint,
      protocol: datastore.protocol,
      credentials: toCredentials(datastore.credentials),
    }),
  };
}

function toCredentials(credentials: BlobDatastore['credentials']): JsonObject {
  if (credentials === undefined) return { credentialsType: 'None' };
  if ('account_key' in credentials) {
    return {
      credentialsType: 'AccountKey',
      secrets: { secretsType: 'AccountKey', key: credentials.account_key },
    };
  }
  return { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: credentials.sas_token } };
}
