/** Where a fault of a template stands in the text that the client sent. */

import { type JsonPlace, placesIn } from '../http/json-places.ts';
import { ArmError, type JsonObject } from '../contract/index.ts';
import { invalidTemplate, LanguageError, PLACE, POSITION, TemplateFault } from './language/language-error.ts';
import type { DeploymentInput } from './language/types.ts';

const TEMPLATE = '/properties/template';
const NOWHERE: JsonPlace = { line: 0, column: 0 };

/** Runs `work`; the TemplateFault that it may throw is told with its line and column, as Azure tells them. */
export function located<T>(input: DeploymentInput, work: () => T): T {
  return locatedIn(() => textOf(input), work);
}

/** As `located`, before there is an input: `text` is what the client sent. */
export function locatedIn<T>(text: () => string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw told(text, error);
  }
}

/** As `located`, for work that takes its time. */
export async function locatedLater<T>(input: DeploymentInput, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw told(() => textOf(input), error);
  }
}

function told(text: () => string, thrown: unknown): unknown {
  // What nobody has placed is wrong with the template as a whole.
  const error = thrown instanceof LanguageError ? invalidTemplate(thrown.message) : thrown;
  if (!(error instanceof TemplateFault)) return error;
  // What is wrong with the template as a whole has no place, unless it is its shape.
  const whole = error.place === '' && error.code === 'InvalidTemplate';
  const { line, column } = whole ? NOWHERE : placeIn(text(), error.place);
  const path = whole ? '' : dotted(inRequest(error.path));
  const message = error.message
    .replace(PLACE, `at line '${line}' and column '${column}'`)
    .replace(POSITION, () => `Path '${path}', line ${line}, position ${column}`);
  const violation: JsonObject = {
    type: 'TemplateViolation',
    info: { lineNumber: line, linePosition: column, path },
  };
  const told = error.code === 'InvalidTemplate' ? { additionalInfo: [violation] } : {};
  return new ArmError(error.status, error.code, message, told);
}

/**
 * Paths are those in the template, but for '/properties' and '/properties/parameters/x': what is given for a parameter.
 */
function inRequest(path: string): string {
  return path === '/properties' || path.startsWith('/properties/') ? path : TEMPLATE + path;
}

/** A nested template has no client's text: it is sent on in one line. One that is too deep for that has none at all. */
function textOf({ text, template }: DeploymentInput): string {
  if (text !== undefined) return text;
  try {
    return JSON.stringify({ properties: { template } });
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

/**
 * The place of what stands at `path` (of its name: with a colon) or, if the text has it elsewhere (a link), nearest
 * around it.
 */
function placeIn(text: string, path: string): JsonPlace {
  const places = placesIn(text);
  for (let at = inRequest(path); at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const place = places(at);
    if (place !== undefined) return place;
  }
  return NOWHERE;
}

/** 'properties.template.resources[0].name' for '/properties/template/resources/0/name'. */
function dotted(path: string): string {
  const steps = path.split('/').slice(1);
  return steps.map((step, index) => (/^\d+$/.test(step) ? `[${step}]` : `${index === 0 ? '' : '.'}${step}`)).join('');
}
