import type { CallContext } from '../../context/index.ts';

/**
 * The wire form of a call, readable in any language:
 *
 *     POST /modules/{module}/{operation}      the input as JSON
 *     200                                     the output as JSON
 *     4xx, 5xx                                an RFC 9457 problem with a `code`
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

export function contextHeaders(context: CallContext): Record<string, string> {
  const sent: Record<string, string> = {
    [headers.requestId]: context.requestId,
    [headers.deadlineMs]: String(Math.max(0, Math.round(context.deadline - Date.now()))),
  };
  if (context.traceparent) sent[headers.traceparent] = context.traceparent;
  if (context.idempotencyKey) sent[headers.idempotencyKey] = context.idempotencyKey;
  if (context.member) sent[headers.member] = context.member;
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
    deadline: Date.now() + (Number.isFinite(left) ? Math.min(left, 10 * 60_000) : fallbackMs),
    idempotencyKey: one(headers.idempotencyKey),
  };
}
