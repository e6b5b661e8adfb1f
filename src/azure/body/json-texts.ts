/** The texts of an entity of Azure Machine Learning that mean something to it: all but what is prose for people. Pure. */
import type { Json, JsonObject } from '../azure.ts';
import { isFreeText } from './free-text.ts';
import { isObject } from './json.ts';

/** `place`: `properties.inputs.data.uri`. `keys`: the names on the way from the properties to the text, its own last. */
export type VisitText = (text: string, place: string, keys: readonly string[]) => void;

/** Calls `visit` for each text, in the order in which they stand. */
export function eachText(properties: JsonObject, visit: VisitText): void {
  mapTexts(properties, (text, place, keys) => {
    visit(text, place, keys);
    return text;
  });
}

/** A copy in which each text is what `map` makes of it. */
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
