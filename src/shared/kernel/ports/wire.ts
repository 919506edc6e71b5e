import { z } from 'zod';
import { maximumBodyBytes } from '../calls/index.ts';
import { type CallContext, Cancellation } from '../context/index.ts';
import { defaultTimeoutMs } from '../contract/index.ts';
import { fromTraceFields, toTraceFields } from '../telemetry/index.ts';
import type { CallerTokens } from './caller-tokens.ts';

/** The largest message, in bytes: the largest body and its context. */
export const maximumMessageBytes = maximumBodyBytes + 64 * 1024;

/** Maximum time to open a connection, in milliseconds. */
export const connectWithinMs = 1_000;

/** Time that the callee gets less than its caller, so that a late callee can report it before the caller times out. */
const lastWordMs = 100;

const longestDeadlineMs = 10 * 60_000;

/** The wire form of a call's context, the same for every transport. The service token names the caller; the context does not. */
export const wireContext = z.object({
  requestId: z.string(),
  traceparent: z.string().optional(),
  tracestate: z.string().optional(),
  baggage: z.string().optional(),
  /** The time left for the callee, in milliseconds. A point in time would not do, since the clocks of two machines may differ. */
  deadlineMs: z.number().min(0).max(longestDeadlineMs),
  idempotencyKey: z.string().optional(),
  /** A signed token that names the member of the call and the roles. */
  member: z.string().optional(),
});
export type WireContext = z.output<typeof wireContext>;

/** Returns the wire form of a context. Returns a promise only when a new token for the principal is needed. */
export function toWire(context: CallContext, tokens: CallerTokens): WireContext | Promise<WireContext> {
  const { requestId, trace, deadline, idempotencyKey, member, roles } = context;
  const wire = { requestId, ...toTraceFields(trace), deadlineMs: timeLeft(deadline), idempotencyKey };
  if (!member && !roles?.length) return wire;
  const vouched = tokens.vouch(context);
  if (typeof vouched === 'string') return { ...wire, member: vouched };
  return vouched.then((token) => ({ ...wire, member: token }));
}

/**
 * Returns the context in which the call is served. Rejects with `unauthenticated` when the principal's signature is invalid. A
 * server that may receive a cancellation before the context is ready passes its own `cancellation`.
 */
export function fromWire(
  wire: WireContext,
  caller: string,
  tokens: CallerTokens,
  cancellation = new Cancellation(),
): CallContext | Promise<CallContext> {
  const { deadlineMs, member, requestId, idempotencyKey } = wire;
  const context = {
    requestId,
    trace: fromTraceFields(wire),
    idempotencyKey,
    caller,
    deadline: Date.now() + deadlineMs,
    cancellation,
  };
  if (!member) return context;
  const known = tokens.vouchedFor(member);
  if (known instanceof Promise) return known.then((principal) => ({ ...context, ...principal }));
  return { ...context, ...known };
}

/** The names of the context's fields in a transport that has headers or properties. */
export const headers = {
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  baggage: 'baggage',
  deadlineMs: 'kerf-deadline-ms',
  idempotencyKey: 'idempotency-key',
  member: 'kerf-member',
} as const satisfies Record<keyof WireContext, string>;

export function toHeaders(wire: WireContext): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const [part, value] of Object.entries(wire)) {
    if (value !== undefined) sent[headers[part as keyof WireContext]] = String(value);
  }
  return sent;
}

/** Reads a wire context from headers. Unauthenticated callers may omit any header: without a valid deadline, `fallbackMs` applies. */
export function fromHeaders(one: (name: string) => string | undefined, fallbackMs = defaultTimeoutMs): WireContext {
  const left = Number(one(headers.deadlineMs) ?? fallbackMs);
  const usable = Number.isFinite(left) && left >= 0;
  return {
    requestId: one(headers.requestId) ?? 'none',
    traceparent: one(headers.traceparent),
    tracestate: one(headers.tracestate),
    baggage: one(headers.baggage),
    deadlineMs: usable ? Math.min(left, longestDeadlineMs) : fallbackMs,
    idempotencyKey: one(headers.idempotencyKey),
    member: one(headers.member),
  };
}

function timeLeft(deadline: number): number {
  const left = deadline - Date.now();
  return Math.min(longestDeadlineMs, Math.max(0, Math.round(left - Math.min(lastWordMs, left / 4))));
}
