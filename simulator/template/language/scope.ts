/** What an expression can see: the deployment it belongs to, the loops around it, and the variables of its lambda. */

import type { Json } from '../../contract/index.ts';
import type { Runtime } from './runtime.ts';
import type { DeploymentInput, PlannedResource } from './types.ts';

/** Where an expression stands: it decides which functions may be used there. */
export type Place = 'parameterDefault' | 'variable' | 'static' | 'body' | 'output';

/** The deployment as its expressions see it. */
export interface DeploymentContext {
  readonly input: DeploymentInput;
  readonly symbolic: boolean;
  parameter(name: string, scope: Scope): Json;
  variable(name: string, scope: Scope): Json;
  /** A user-defined function, by 'namespace.name'. */
  userFunction(name: string): UserFunction | undefined;
  /** A planned or existing resource by its symbolic name ('vm', 'vm[0]'), name or id. */
  resource(nameOrId: string): PlannedResource | undefined;
  /** The instances of a symbolic name's loop, in order. */
  instances(symbolicName: string): PlannedResource[] | undefined;
}

export interface UserFunction {
  name: string;
  parameters: { name: string; type: string }[];
  output: Json;
}

export interface Scope {
  readonly deployment: DeploymentContext;
  readonly runtime: Runtime;
  readonly place: Place;
  /** The current index of each named loop, by its name in lower case. */
  readonly copies: ReadonlyMap<string, number>;
  /** What `copyIndex()` without a name means: the resource's or output's loop, else the innermost. */
  readonly copy?: number;
  readonly lambda: ReadonlyMap<string, Json>;
  /** Set inside a user-defined function: its arguments, by name in lower case. */
  readonly functionArguments?: ReadonlyMap<string, Json>;
}

export function rootScope(deployment: DeploymentContext, runtime: Runtime, place: Place): Scope {
  return { deployment, runtime, place, copies: new Map(), lambda: new Map() };
}

/** `scope` inside one turn of a loop. `owns`: the loop is what an unnamed `copyIndex()` means from here on. */
export function inCopy(scope: Scope, name: string, index: number, owns: boolean): Scope {
  const copies = new Map(scope.copies).set(name.toLowerCase(), index);
  return owns || scope.copy === undefined ? { ...scope, copies, copy: index } : { ...scope, copies };
}
