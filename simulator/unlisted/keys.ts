/**
 * `listKeys` and its kin of types without a row: keys that are the same whenever they are asked, in each type's own
 * shape.
 */

import { createHash } from 'node:crypto';
import type { Call, Json, ResourceType } from '../contract/index.ts';

interface Keys {
  name: string;
  /** The resource above, or the resource itself at the top. */
  account: string;
  /** A key of 32 bytes in base64, a different one for each word. */
  key: (word: string) => string;
}

type Answer = (keys: Keys) => Json;

const pair: Answer = ({ key }) => ({ primaryKey: key('primary'), secondaryKey: key('secondary') });
const numbered: Answer = ({ key }) => ({ key1: key('primary'), key2: key('secondary') });

function busKeys({ name, account, key }: Keys): Json {
  const connection = (word: string): string =>
    `Endpoint=sb://${account}.servicebus.localhost/;SharedAccessKeyName=${name};SharedAccessKey=${key(word)}`;
  return {
    keyName: name,
    primaryKey: key('primary'),
    secondaryKey: key('secondary'),
    primaryConnectionString: connection('primary'),
    secondaryConnectionString: connection('secondary'),
  };
}

function hubKeys({ key }: Keys): Json {
  const value = ['iothubowner', 'service', 'device', 'registryRead', 'registryReadWrite'].map((keyName) => ({
    keyName,
    primaryKey: key(`${keyName} primary`),
    secondaryKey: key(`${keyName} secondary`),
    rights: 'RegistryWrite, ServiceConnect, DeviceConnect',
  }));
  return { value };
}

function configurationKeys({ name, key }: Keys): Json {
  const value = ['Primary', 'Secondary', 'Primary Read Only', 'Secondary Read Only'].map((word) => ({
    id: key(`${word} id`).slice(0, 12),
    name: word,
    value: key(word),
    connectionString: `Endpoint=https://${name}.azconfig.localhost;Id=${key(`${word} id`).slice(0, 12)};Secret=${key(word)}`,
    readOnly: word.endsWith('Only'),
  }));
  return { value };
}

function cosmosKeys({ key }: Keys): Json {
  return {
    primaryMasterKey: key('primary'),
    secondaryMasterKey: key('secondary'),
    primaryReadonlyMasterKey: key('primary read-only'),
    secondaryReadonlyMasterKey: key('secondary read-only'),
  };
}

function cosmosConnections({ name, key }: Keys): Json {
  const words = ['Primary', 'Secondary', 'Primary Read-Only', 'Secondary Read-Only'];
  const connectionStrings = words.map((word) => ({
    connectionString: `AccountEndpoint=https://${name}.documents.localhost:443/;AccountKey=${key(word.toLowerCase())};`,
    description: `${word} SQL Connection String`,
  }));
  return { connectionStrings };
}

function kubeconfigs({ name }: Keys): Json {
  const config = `apiVersion: v1\nkind: Config\nclusters:\n- name: ${name}\n`;
  return { kubeconfigs: [{ name: 'clusterAdmin', value: Buffer.from(config).toString('base64') }] };
}

function signalrKeys({ name, key }: Keys): Json {
  const connection = (word: string): string =>
    `Endpoint=https://${name}.service.signalr.localhost;AccessKey=${key(word)};Version=1.0;`;
  return {
    primaryKey: key('primary'),
    secondaryKey: key('secondary'),
    primaryConnectionString: connection('primary'),
    secondaryConnectionString: connection('secondary'),
  };
}

/** By type and action, both in lower case. */
const ANSWERS: Record<string, Record<string, Answer>> = {
  'microsoft.appconfiguration/configurationstores': { listkeys: configurationKeys },
  'microsoft.batch/batchaccounts': {
    listkeys: ({ name, key }) => ({
      accountName: name,
      primary: key('primary'),
      secondary: key('secondary'),
    }),
  },
  'microsoft.cache/redis': { listkeys: pair },
  'microsoft.cache/redisenterprise/databases': { listkeys: pair },
  'microsoft.cognitiveservices/accounts': { listkeys: numbered },
  'microsoft.communication/communicationservices': { listkeys: signalrKeys },
  'microsoft.containerservice/managedclusters': {
    listclusteradmincredential: kubeconfigs,
    listclusterusercredential: kubeconfigs,
  },
  'microsoft.devices/iothubs': { listkeys: hubKeys },
  'microsoft.devices/iothubs/iothubkeys': {
    listkeys: ({ name, key }) => ({
      keyName: name,
      primaryKey: key('primary'),
      secondaryKey: key('secondary'),
      rights: 'RegistryWrite, ServiceConnect, DeviceConnect',
    }),
  },
  'microsoft.documentdb/databaseaccounts': {
    listkeys: cosmosKeys,
    listconnectionstrings: cosmosConnections,
  },
  'microsoft.eventgrid/domains': { listkeys: numbered },
  'microsoft.eventgrid/topics': { listkeys: numbered },
  'microsoft.logic/integrationaccounts': {
    listcallbackurl: ({ name, key }) => ({
      value: `https://logic.localhost/integrationAccounts/${name}?sig=${encodeURIComponent(key('signature'))}`,
    }),
  },
  'microsoft.logic/workflows/triggers': {
    listcallbackurl: ({ account, name, key }) => ({
      value: `https://logic.localhost/workflows/${account}/triggers/${name}/paths/invoke?sig=${encodeURIComponent(key('signature'))}`,
      method: 'POST',
      basePath: `https://logic.localhost/workflows/${account}/triggers/${name}/paths/invoke`,
      queries: { 'api-version': '2019-05-01', sig: key('signature') },
    }),
  },
  'microsoft.maps/accounts': { listkeys: pair },
  'microsoft.search/searchservices': {
    listadminkeys: pair,
    listquerykeys: ({ key }) => ({ value: [{ name: null, key: key('query') }] }),
  },
  'microsoft.signalrservice/signalr': { listkeys: signalrKeys },
  'microsoft.signalrservice/webpubsub': { listkeys: signalrKeys },
  'microsoft.web/sites/host': {
    listkeys: ({ key }) => ({
      masterKey: key('master'),
      functionKeys: { default: key('function') },
      systemKeys: {},
    }),
  },
  'microsoft.web/staticsites': { listsecrets: ({ key }) => ({ properties: { apiKey: key('api') } }) },
};

/** Of any namespace or entity that messages go through. */
const BUS = /^microsoft\.(eventhub|servicebus|relay|notificationhubs)\/.*\/authorizationrules$/;

/**
 * The actions of a type, each after `check`: of what Azure makes by itself, only the resource it belongs to must exist.
 */
export function keyActions(type: string, check: (call: Call) => void): NonNullable<ResourceType['actions']> {
  const lower = type.toLowerCase();
  const answers = ANSWERS[lower] ?? (BUS.test(lower) ? { listkeys: busKeys } : {});
  return Object.fromEntries(
    Object.entries(answers).map(([action, answer]) => [
      action,
      (call: Call) => {
        check(call);
        return { status: 200, body: answer(keysOf(call)) };
      },
    ]),
  );
}

function keysOf({ id }: Call): Keys {
  return {
    name: id.name,
    account: id.names[0] ?? id.name,
    key: (word) => createHash('sha256').update(`${word}|${id.key}`).digest('base64'),
  };
}
