/**
 * Whether the condition of a role assignment holds for a request. An attribute that Azure would know and this cloud
 * does not (tags, attributes of people) leaves open what depends on it, and what is left open is not granted.
 */

import { parseCondition, type Attribute, type Condition, type Value } from './condition-language.ts';

/** What a request is about, beside its action. */
export interface Circumstances {
  /** 'Blob.List' and its kind. */
  subOperation?: string;
  /**
   * Values by source and name in lower case ('resource|microsoft.storage/storageaccounts:name'); an empty list: the
   * request has none.
   */
  attributes: Record<string, Value[]>;
}

const PARSED = new Map<string, Condition>();

/** Does it hold? undefined: that cannot be told here. Throws an Error for a text that is no condition. */
export function holds(text: string, action: string, circumstances: Circumstances): boolean | undefined {
  let condition = PARSED.get(text);
  if (!condition) PARSED.set(text, (condition = parseCondition(text)));
  return evaluate(condition, action.toLowerCase(), circumstances);
}

function evaluate(condition: Condition, action: string, about: Circumstances): boolean | undefined {
  switch (condition.kind) {
    case 'or':
      return anyOf(condition.of.map((one) => evaluate(one, action, about)));
    case 'and':
      return allOf(condition.of.map((one) => evaluate(one, action, about)));
    case 'not':
      return not(evaluate(condition.of, action, about));
    case 'action':
      return like(action, condition.pattern);
    case 'subOperation':
      return (about.subOperation ?? '').toLowerCase() === condition.pattern;
    case 'exists': {
      const values = valuesOf(about, condition.attribute);
      return values && values.length > 0;
    }
    case 'compare': {
      const left = valuesOf(about, condition.attribute);
      const { values, operator, each } = condition;
      const right = Array.isArray(values) ? values : valuesOf(about, values);
      if (!left || !right) return undefined;
      if (left.length === 0) return false;
      const some = <T>(how: 'any' | 'all', list: T[], test: (one: T) => boolean): boolean =>
        how === 'any' ? list.some(test) : list.every(test);
      return some(each.left, left, (a) => some(each.right, right, (b) => compare(operator, a, b)));
    }
  }
}

function valuesOf({ attributes }: Circumstances, { source, name }: Attribute): Value[] | undefined {
  return attributes[`${source}|${name}`];
}

/** As in logic with three values: what is open stays open, unless the rest decides. */
function anyOf(values: (boolean | undefined)[]): boolean | undefined {
  if (values.includes(true)) return true;
  return values.includes(undefined) ? undefined : false;
}

function allOf(values: (boolean | undefined)[]): boolean | undefined {
  if (values.includes(false)) return false;
  return values.includes(undefined) ? undefined : true;
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** `operator` in lower case, one of those that the language has. */
function compare(operator: string, a: Value, b: Value): boolean {
  const [, family = '', negated, rest = ''] = /^(string|guid|bool|numeric|datetime)(not)?(.*?)$/.exec(operator) ?? [];
  const ignoresCase = family === 'guid' || family === 'bool' || rest.endsWith('ignorecase');
  const text = (value: Value): string => (ignoresCase ? String(value).toLowerCase() : String(value));
  const number = (value: Value): number => (family === 'datetime' ? Date.parse(String(value)) : Number(value));
  const isNumber = family === 'numeric' || family === 'datetime';
  const is = isNumber
    ? compareNumbers(rest, number(a), number(b))
    : compareTexts(rest.replace('ignorecase', ''), text(a), text(b));
  return negated === undefined ? is : !is;
}

function compareTexts(how: string, a: string, b: string): boolean {
  if (how === 'startswith') return a.startsWith(b);
  return how === 'like' ? like(a, b) : a === b;
}

function compareNumbers(how: string, a: number, b: number): boolean {
  switch (how) {
    case 'lessthan':
      return a < b;
    case 'lessthanequals':
      return a <= b;
    case 'greaterthan':
      return a > b;
    case 'greaterthanequals':
      return a >= b;
    default:
      return a === b;
  }
}

/** A star stands for any text, a question mark for one character. */
function like(text: string, pattern: string): boolean {
  let [i, j, star, mark] = [0, 0, -1, 0];
  while (i < text.length) {
    if (pattern[j] === '*') [star, mark, j] = [j, i, j + 1];
    else if (j < pattern.length && (pattern[j] === '?' || pattern[j] === text[i])) [i, j] = [i + 1, j + 1];
    else if (star >= 0) [j, mark, i] = [star + 1, mark + 1, mark + 1];
    else return false;
  }
  while (pattern[j] === '*') j += 1;
  return j === pattern.length;
}
