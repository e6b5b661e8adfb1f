/** A Bicep file as a tree. */

export type Node =
  | { kind: 'text'; parts: (string | Node)[] }
  | { kind: 'number'; value: number }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'null' }
  | { kind: 'name'; name: string }
  | { kind: 'call'; name: string; args: Node[] }
  | { kind: 'member'; of: Node; name: string }
  /** `of.?name`: null where it is missing. */
  | { kind: 'optional'; of: Node; name: string }
  | { kind: 'index'; of: Node; index: Node }
  | { kind: 'not'; of: Node }
  | { kind: 'binary'; operator: string; left: Node; right: Node }
  | { kind: 'choice'; condition: Node; yes: Node; no: Node }
  | { kind: 'object'; entries: [string, Node][] }
  | { kind: 'array'; items: Node[] };

export interface Decorator {
  name: string;
  args: Node[];
}
export interface Parameter {
  name: string;
  type: string;
  default?: Node;
  decorators: Decorator[];
}
export interface ResourceDeclaration {
  symbol: string;
  type: string;
  apiVersion: string;
  existing: boolean;
  condition?: Node;
  loop?: { variable: string; over: Node };
  body: [string, Node][];
  decorators: Decorator[];
}
export interface Output {
  name: string;
  type: string;
  value: Node;
  decorators: Decorator[];
}
export interface BicepFile {
  targetScope: string;
  parameters: Parameter[];
  variables: { name: string; value: Node }[];
  resources: ResourceDeclaration[];
  outputs: Output[];
}
