import { z } from 'zod';
import { type CallContext, Cancellation } from '../context/index.ts';
import { defaultTimeoutMs } from '../contract/index.ts';
import type { ServiceTokens } from '../identity/index.ts';

/** The largest input or output of a call, in bytes of JSON. A transport that takes less says so when it refuses. */
export const maximumBodyBytes = 8 * 1024 * 1024;

/** A body of the largest size, with the context around it. */
export const maximumMessageBytes = maximumBodyBytes + 64 * 1024;

/** How long a connection may take to be made. */
export const connectWithinMs = 1_000;

/** So much of its caller's time a callee does not get: one that is late can say so before its caller gives up. */
const lastWordMs = 100;

const longestDeadlineMs = 10 * 60_000;

/** A call's context as it travels, whatever the wire. Who calls is not in it: the service token says so. */
export const wireContext = z.object({
  requestId: z.string(),
  traceparent: z.string().optional(),
  /** The time that the callee has, in milliseconds: clocks of two machines need not agree. */
  deadlineMs: z.number().min(0).max(longestDeadlineMs),
  idempotencyKey: z.string().optional(),
  /** The member on whose behalf it is made, signed. */
  member: z.string().optional(),
});
export type WireContext = z.output<typeof wireContext>;

/** At once where nobody has to be vouched for, or somebody who was before. */
export function toWire(context: CallContext, tokens: ServiceTokens): WireContext | Promise<WireContext> {
  const { requestId, traceparent, deadline, idempotencyKey, member } = context;
  const wire = { requestId, traceparent, deadlineMs: timeLeft(deadline), idempotencyKey };
  if (!member) return wire;
  const vouched = tokens.vouch(member);
  if (typeof vouched === 'string') return { ...wire, member: vouched };
  return vouched.then((token) => ({ ...wire, member: token }));
}

/**
 * The context in which the call is served. Rejects with `unauthenticated` when the member's signature does not hold. Whoever
 * can be told of a cancellation before the context is there brings its own.
 */
export function fromWire(
  wire: WireContext,
  caller: string,
  tokens: ServiceTokens,
  cancellation = new Cancellation(),
): CallContext | Promise<CallContext> {
  const { deadlineMs, member, ...rest } = wire;
  const context = { ...rest, caller, deadline: Date.now() + deadlineMs, cancellation };
  if (!member) return context;
  const known = tokens.vouchedFor(member);
  if (typeof known === 'string') return { ...context, member: known };
  return known.then((id) => ({ ...context, member: id }));
}

/** What a transport that has headers or properties calls the parts of the context. */
export const headers = {
  requestId: 'x-request-id',
  traceparent: 'traceparent',
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

/** Headers of strangers may lack anything: without a deadline they get `fallbackMs`. */
export function fromHeaders(one: (name: string) => string | undefined, fallbackMs = defaultTimeoutMs): WireContext {
  const left = Number(one(headers.deadlineMs) ?? fallbackMs);
  const usable = Number.isFinite(left) && left >= 0;
  return {
    requestId: one(headers.requestId) ?? 'none',
    traceparent: one(headers.traceparent),
    deadlineMs: usable ? Math.min(left, longestDeadlineMs) : fallbackMs,
    idempotencyKey: one(headers.idempotencyKey),
    member: one(headers.member),
  };
}

function timeLeft(deadline: number): number {
  const left = deadline - Date.now();
  return Math.min(longestDeadlineMs, Math.max(0, Math.round(left - Math.min(lastWordMs, left / 4))));
}
