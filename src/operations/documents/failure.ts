/** An error as a document: the same for the command line and the server. */
import { z } from 'zod';
import { errorCodes, isUnderstudyError, messageOf } from '../../errors/error.ts';

/** The member `error` of a document. */
export const Failure = z.object({
  code: z.enum([...errorCodes, 'InternalError']).describe('What kind of error it is. InternalError: a defect'),
  message: z.string().describe('What was tried, on what, and what was wrong'),
  place: z.string().optional().describe('Where: a file and line, an ARM id, a URL'),
  next: z.string().optional().describe('What to do next'),
  retryable: z.boolean().describe('The same command may succeed later, without any change'),
  exitCode: z.int().describe("The command's exit code"),
  azure: z
    .object({
      status: z.int().optional(),
      code: z.string().optional(),
      requestId: z.string().optional(),
    })
    .optional()
    .describe('What Azure returned'),
});
export type Failure = z.input<typeof Failure>;

/** What a command prints if it failed before it had a document of its own. */
export const FailureDocument = z.object({ error: Failure });

/** Any error as a document. */
export function describeFailure(error: unknown): Failure {
  if (!isUnderstudyError(error))
    return { code: 'InternalError', message: messageOf(error), retryable: false, exitCode: 1 };
  const { code, message, retryable, exitCode, details } = error;
  const { place, next, azure } = details;
  return {
    code,
    message,
    ...(place === undefined ? {} : { place }),
    ...(next === undefined ? {} : { next }),
    retryable,
    exitCode,
    ...(azure === undefined ? {} : { azure }),
  };
}
