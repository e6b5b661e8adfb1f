/** What a scenario is. */

import type { TokenService } from '../entra/tokens.ts';
import type { Disturbance } from '../faults/faults.ts';
import type { Cloud, JsonObject } from '../contract/index.ts';
import type { Parameters, ValuesOf } from './parameters.ts';

/** What scenarios change beside faults. */
export interface World {
  cloud: Cloud;
  tokens: TokenService;
}

/** When a disturbance is there: for `duty` (0 to 1) of every period, from the start on. */
export interface Rhythm {
  periodMs: number;
  duty: number;
}

interface Definition<P extends Parameters> {
  name: string;
  /** What happens, for people. */
  summary: string;
  /** What it meets: one region, or the cloud as a whole. */
  scope: 'region' | 'cloud';
  parameters: P;
  disturb?: (values: ValuesOf<P>) => Disturbance;
  rhythm?: (values: ValuesOf<P>) => Rhythm;
  /** Changes what no disturbance can. Answers what `restore` needs; must throw before it has changed anything. */
  change?: (world: World, region: string, values: ValuesOf<P>) => JsonObject | Promise<JsonObject>;
  /** After a restart of the cloud: changes again what is not kept. */
  changeAgain?: (world: World, values: ValuesOf<P>) => void;
  restore?: (world: World, region: string, before: JsonObject) => void | Promise<void>;
}

/** Of parameters whose names only the scenario itself knows. */
export type Values = Record<string, never>;

export type Scenario = Omit<Definition<Values>, 'parameters'> & { parameters: Parameters };

/** A scenario by its definition; keeps the types of its parameters together. */
export function scenario<const P extends Parameters>(definition: Definition<P>): Scenario {
  // Values reach it as `valuesOf` its own parameters gives them.
  return definition as unknown as Scenario;
}
