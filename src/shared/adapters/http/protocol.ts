import { z } from 'zod';
import type { Problem } from '../../kernel/errors/index.ts';
import { wireContext } from '../../kernel/ports/index.ts';

/**
 * The wire form of calls, readable in any language. One call:
 *
 *     POST /modules/{module}/{operation}      the input as JSON, the context in headers; no body without an input
 *     200                                     the output as JSON; 204 without an output
 *     4xx, 5xx                                an RFC 9457 problem with a `code`
 *
 * Many calls in one exchange, which may stay open:
 *
 *     POST /modules/{module}     a line of JSON for each call: { id, operation, input, context }, without `input` if it has none;
 *                                { id, cancel: true } cancels a call; an empty line is a ping and requests an empty line back
 *     200                        a line of JSON for each answer, as soon as it is ready, in any order: { id, output } or
 *                                { id, problem }; { leaving: true } when the next call should go to another process
 */
export const wireCall = z.object({
  id: z.int(),
  operation: z.string(),
  input: z.unknown().optional(),
  context: wireContext,
});
export type WireCall = z.output<typeof wireCall>;

export interface WireCancel {
  readonly id: number;
  readonly cancel: true;
}

export type AnswerLine =
  | { readonly id: number; readonly output?: unknown; readonly problem?: Problem }
  | { readonly leaving: true };
