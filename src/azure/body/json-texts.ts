/** Visits the texts of an Azure Machine Learning entity, except those that are prose for people. Pure. */
import type { Json, JsonObject } from '../azure.ts';
import { isFreeText } from './free-text.ts';
import { isObject } from './json.ts';

/** `place`: `properties.inputs.data.uri`. `keys`: the keys from the properties to the text, the text's own last. */
export type VisitText = (text: string, place: string, keys: readonly string[]) => void;

/** Calls `visit` for each text, in order. */
export function eachText(properties: JsonObject, visit: VisitText): void {
  mapTexts(properties, (text, place, keys) => {
    visit(text, place, keys);
    return text;
  });
}

/** Returns a copy with each text replaced by what `map` returns. */
export function mapTexts(properties: JsonObject, map: (...of: Parameters<VisitText>) => string): JsonObject {
  const walk = (value: Json, place: string, keys: readonly string[]): Json => {
    if (typeof value === 'string') return map(value, place, keys);
    if (Array.isArray(value)) return value.map((each, index) => walk(each, `${place}[${index}]`, keys));
    return isObject(value) ? walkObject(value, place, keys) : value;
  };
  const walkObject = (value: JsonObject, place: string, keys: readonly string[]): JsonObject =>
    Object.fromEntries(
      Object.entries(value).map(([key, each]): [string, Json] => {
        const path = [...keys, key];
        return [key, isFreeText(path) ? each : walk(each, `${place}.${key}`, path)];
      }),
    );
  return walkObject(properties, 'properties', []);
}
