import { z } from 'zod';
import type { CallContext } from '../../context/index.ts';

/**
 * The wire form of calls, readable in any language. One call:
 *
 *     POST /modules/{module}/{operation}      the input as JSON, the context in headers
 *     200                                     the output as JSON
 *     4xx, 5xx                                an RFC 9457 problem with a `code`
 *
 * Many calls in one exchange, each answered as soon as it is ready, in any order:
 *
 *     POST /modules/{module}                  a line of JSON for each call: { id, operation, input, context }
 *     200                                     a line of JSON for each answer: { id, output } or { id, problem }
 */
export const headers = {
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  /** Time left, in milliseconds: clocks of two machines need not agree. */
  deadlineMs: 'kerf-deadline-ms',
  idempotencyKey: 'idempotency-key',
  member: 'kerf-member',
} as const;

/** The largest body an internal call or pushed event may have, in bytes. */
export const maximumBodyBytes = 8 * 1024 * 1024;

const longestDeadlineMs = 10 * 60_000;

/** The context in a line of an exchange. */
export const wireContext = z.object({
  requestId: z.string(),
  traceparent: z.string().optional(),
  deadlineMs: z.number().min(0).max(longestDeadlineMs),
  idempotencyKey: z.string().optional(),
  member: z.string().optional(),
});
export type WireContext = z.output<typeof wireContext>;

export const wireCall = z.object({ id: z.number(), operation: z.string(), input: z.unknown(), context: wireContext });
export type WireCall = z.output<typeof wireCall>;

export function toWire({ requestId, traceparent, deadline, idempotencyKey, member }: CallContext): WireContext {
  return { requestId, traceparent, deadlineMs: timeLeft(deadline), idempotencyKey, member };
}

export function fromWire({ deadlineMs, ...rest }: WireContext, caller: string): CallContext {
  return { ...rest, caller, deadline: Date.now() + deadlineMs };
}

export function contextHeaders(context: CallContext): Record<string, string> {
  const { deadlineMs, ...rest } = toWire(context);
  const sent: Record<string, string> = { [headers.deadlineMs]: String(deadlineMs) };
  for (const [name, value] of Object.entries(rest)) if (value) sent[headers[name as keyof typeof rest]] = value;
  return sent;
}

export function contextOf(
  received: Record<string, string | string[] | undefined>,
  caller: string,
  fallbackMs: number,
): CallContext {
  const one = (name: string) => {
    const value = received[name];
    return typeof value === 'string' ? value : undefined;
  };
  const left = Number(one(headers.deadlineMs) ?? fallbackMs);
  return {
    requestId: one(headers.requestId) ?? 'none',
    traceparent: one(headers.traceparent),
    caller,
    member: one(headers.member),
    deadline: Date.now() + (Number.isFinite(left) ? Math.min(left, longestDeadlineMs) : fallbackMs),
    idempotencyKey: one(headers.idempotencyKey),
  };
}

function timeLeft(deadline: number): number {
  return Math.min(longestDeadlineMs, Math.max(0, Math.round(deadline - Date.now())));
}
