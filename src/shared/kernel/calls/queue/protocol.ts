import { z } from 'zod';
import type { Problem } from '../../errors/index.ts';
import { wireContext } from '../wire.ts';

/**
 * The wire form of calls over a broker, readable in any language. All messages are JSON; `authorization` is a header.
 *
 *     request   { operation, input?, context }  to one of the module's instances, with an id and where to answer
 *     answer    { output? } or { problem }      to whoever asked, with the request's id; as soon as it is ready
 *     cancel    { cancel: id }                  to all instances: the answer is no longer wanted
 *     ask       { ask: [id, …] }                to all instances: who has these requests?
 *     have      { have: [id, …] }               the answer of each to that: they are not lost
 *
 *                        RabbitMQ (AMQP 0-9-1)                            NATS
 *     one instance       queue {namespace}.calls.{module}                 subject _KERF.one.{namespace}.{module},
 *                                                                         in the queue group `kerf`
 *     all instances      amq.direct, key {namespace}.calls.{module}       subject _KERF.all.{namespace}.{module}
 *     id                 correlation_id                                   last part of the reply subject
 *     where to answer    reply_to: a queue (direct reply-to is not taken) the reply subject
 *     time left          context.deadlineMs, and expiration               context.deadlineMs
 *     nobody is there    the message comes back (mandatory)               status 503 (no responders)
 *
 * The subjects lie outside of `{namespace}.>`, all of which the events' stream would store.
 *
 * A request is begun once at most. RabbitMQ has it acknowledged when it is answered, so that what waits is shared out as
 * instances have time, and hands it out again when the instance that had it has gone: that may have begun, so the next one does
 * not begin but answers `unavailable`, at once. Whether to repeat is for the caller's policies, which know what is safe. NATS
 * keeps nothing: what an instance had when it went is missed when all are asked who has it.
 */
export const wireRequest = z.object({ operation: z.string(), input: z.unknown().optional(), context: wireContext });
export type WireRequest = z.output<typeof wireRequest>;

export type WireAnswer =
  | { readonly output?: unknown; readonly problem?: Problem }
  | { readonly have: readonly string[] };

export const toAll = z.union([z.object({ cancel: z.string() }), z.object({ ask: z.array(z.string()) })]);
