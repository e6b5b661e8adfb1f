/** Finds datastores that are the same store on both sides. Pure. */
import type { ArmResource } from '../azure/azure.ts';
import { sameName } from '../azure/ids.ts';
import { textAt } from '../azure/body/json.ts';

/** Returns a function that tells whether a datastore of this name has the same account and container on both sides. */
export function sharedDatastores(
  old: readonly ArmResource[],
  standby: readonly ArmResource[],
): (name: string) => boolean {
  const placeOf = (all: readonly ArmResource[], name: string) => {
    const properties = all.find((each) => sameName(each.name, name))?.properties ?? {};
    const container = ['containerName', 'filesystem', 'fileShareName']
      .map((key) => textAt(properties, key))
      .find(Boolean);
    const account = textAt(properties, 'accountName') ?? textAt(properties, 'storeName');
    return account === undefined ? undefined : `${account}/${container ?? ''}`;
  };
  return (name) => {
    const place = placeOf(old, name);
    return place !== undefined && sameName(place, placeOf(standby, name));
  };
}
