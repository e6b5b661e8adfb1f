/** Errors of the template language, in Azure's words. */

import { ArmError, type Json } from '../../contract/index.ts';

/** What is wrong with an expression, before anyone knows where it stands. Turned into a TemplateFault by `placed`. */
export class LanguageError extends Error {
  override readonly name: string = 'LanguageError';
}

/**
 * An expression that cannot be read, or calls a function that there is not: wrong whether it is ever evaluated or not.
 */
export class SyntaxFault extends LanguageError {
  override readonly name = 'SyntaxFault';
}

/** A reference to what the template does not have. */
export class ReferenceFault extends LanguageError {
  override readonly name = 'ReferenceFault';
}

/** A function where it may not stand: wrong whatever the values around it are. */
export class MisplacedFault extends LanguageError {
  override readonly name = 'MisplacedFault';
  constructor(call: string, why = '. Please see https://aka.ms/arm-functions for usage details') {
    super(`The template function '${call}' is not expected at this location${why}.`);
  }
}

/** In a message: where the fault stands in the client's text. `located` fills it in. */
export const PLACE = "at line '' and column ''";
/** The same in a message of the JSON reader. */
export const POSITION = "Path '', line 0, position 0";

/**
 * What is wrong with a template, and where: '/resources/0/name'. `located` finds the place in the text that the client
 * sent.
 */
export class TemplateFault extends ArmError {
  readonly path: string;
  /** What the message tells the line and column of: `path`, its name ('/resources/0/nam:'), or something around it. */
  readonly place: string;
  constructor(code: string, message: string, path: string, place = path) {
    super(400, code, message);
    this.path = path;
    this.place = place;
  }
}

/** A fault in the template's meaning. */
export function invalidTemplate(problem: string, path = '', place = path): TemplateFault {
  return new TemplateFault('InvalidTemplate', `Deployment template validation failed: '${problem}'.`, path, place);
}

/** A fault in the template's shape: what a JSON reader that knows the members finds. */
export function invalidContent(problem: string, path: string, place = path): TemplateFault {
  return new TemplateFault(
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${problem}. ${POSITION}.'.`,
    path,
    place,
  );
}

/** A member that must be there. `path`: of the object that lacks it. */
export function missingMember(member: string, path: string): TemplateFault {
  return invalidContent(`Required property '${member}' not found in JSON`, path);
}

/** A value that cannot be read as this type. */
export function wrongValue(value: Json, type: string, path: string): TemplateFault {
  const shown = JSON.stringify(value);
  const short = shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
  return invalidContent(`Error converting value ${short} to type 'Azure.Deployments.Core.${type}'`, path);
}

/** A member that objects of this type do not have. */
export function unknownMember(type: string, path: string, member: string): TemplateFault {
  const at = `${path}/${member}`;
  return invalidContent(`Could not find member '${member}' on object of type '${type}'`, at, `${at}:`);
}

/** What an expression belongs to: it decides how Azure words what is wrong. */
export type Subject =
  | { kind: 'variable'; name: string }
  | { kind: 'output'; name: string }
  /**
   * What is needed before anything is made: a resource's name, condition, loop, …; a parameter's default. `place`: its
   * path.
   */
  | { kind: 'declaration'; name: string; place: string }
  /** What is sent. `place`: the resource's path. */
  | { kind: 'body'; id: string; name: string; place: string };

const FUNCTIONS = 'Please see https://aka.ms/arm-functions for usage details.';

/** Runs `work`; a LanguageError becomes a TemplateFault about `subject`, at `path` ('/resources/0/properties/y'). */
export function placed<T>(subject: Subject, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ReferenceFault) throw invalidTemplate(error.message, path);
    // A RangeError: too deep for the stack, or a text longer than there can be.
    if (error instanceof LanguageError) throw faultOf(subject, path, error.message, error);
    if (error instanceof RangeError) throw faultOf(subject, path, `too deep or too long: ${error.message}`, error);
    throw error;
  }
}

function faultOf(subject: Subject, path: string, problem: string, error: Error): TemplateFault {
  if (subject.kind === 'variable')
    return invalidTemplate(`The template variable '${subject.name}' is not valid: ${problem}. ${FUNCTIONS}`, path);
  if (subject.kind === 'output')
    return invalidTemplate(
      `The template output '${subject.name}' ${PLACE} is not valid: ${problem}. ${FUNCTIONS}`,
      path,
    );
  if (subject.kind === 'declaration' || error instanceof SyntaxFault)
    return invalidTemplate(
      `The template resource '${subject.name}' ${PLACE} is not valid: ${problem}. ${FUNCTIONS}`,
      path,
      subject.place,
    );
  return new TemplateFault(
    'InvalidTemplate',
    `Unable to process template language expressions for resource '${subject.id}' ${PLACE}. '${problem}'`,
    path,
    subject.place,
  );
}

/** A value is not what it is declared to be. */
export class ValueFault extends LanguageError {
  override readonly name = 'ValueFault';
  /** Which of its members it is: '.size', '[0].name'; nothing: the value itself. */
  readonly member: string;
  /** Azure tells of a wrong type without telling whose. */
  readonly anonymous: boolean;
  constructor(message: string, { member = '', anonymous = false } = {}) {
    super(message);
    this.member = member;
    this.anonymous = anonymous;
  }
}
