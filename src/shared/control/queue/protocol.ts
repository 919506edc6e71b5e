import { z } from 'zod';
import type { Problem } from '../../kernel/errors/index.ts';
import { wireContext } from '../../kernel/ports/index.ts';

/**
 * The wire form of calls over a broker, readable in any language. All messages are JSON; `authorization` is a header.
 *
 *     request   { operation, input?, context }  to one of the module's instances, with an id and where to answer
 *     answer    { output? } or { problem }      to the caller, with the request's id; as soon as it is ready
 *     cancel    { cancel: id }                  to all instances: the answer is no longer wanted
 *     ask       { ask: [id, …] }                to all instances: which of you has these requests?
 *     have      { have: [id, …] }               the answer of each to that: they are not lost
 *
 *                        RabbitMQ (AMQP 0-9-1)                            NATS
 *     one instance       queue {namespace}.calls.{module}                 subject _KERF.one.{namespace}.{module},
 *                                                                         in the queue group `kerf`
 *     all instances      amq.direct, key {namespace}.calls.{module}       subject _KERF.all.{namespace}.{module}
 *     id                 correlation_id                                   last part of the reply subject
 *     where to answer    reply_to: a queue (direct reply-to is not taken) the reply subject
 *     time left          context.deadlineMs, and expiration               context.deadlineMs
 *     no instance        the message comes back (mandatory)               status 503 (no responders)
 *
 * The subjects lie outside `{namespace}.>`, since the stream of the events stores every subject below it.
 *
 * A request begins once at most. With RabbitMQ, an instance acknowledges a request when it answers, so that waiting requests go to
 * instances that have time. RabbitMQ delivers a request again when its instance stops. The first instance may have begun, so the
 * next instance does not begin: it answers `unavailable` at once. The caller's policies decide whether a retry is safe. NATS keeps
 * no requests: the caller detects a lost request because no instance answers `have`.
 */
export const wireRequest = z.object({ operation: z.string(), input: z.unknown().optional(), context: wireContext });

export type WireAnswer =
  | { readonly output?: unknown; readonly problem?: Problem }
  | { readonly have: readonly string[] };

export const toAll = z.union([z.object({ cancel: z.string() }), z.object({ ask: z.array(z.string()) })]);
