import { Metadata, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import type { Serve } from '../../kernel/calls/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import {
  bearer,
  type CallerTokens,
  fromHeaders,
  fromWire,
  type UnauthenticatedCallers,
} from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import type { ProtoOperation } from './proto/proto.ts';
import { names, readerOf, refuseTooLarge } from './protocol.ts';
import { toProblemMessage, toStatus } from './status.ts';
import type { UnsentCalls } from './unsent-calls.ts';

export interface ServingDependencies {
  readonly serve: Serve;
  readonly tokens: CallerTokens;
  readonly log: Log;
  readonly strangers: UnauthenticatedCallers;
  /** Tells whether callers should send their next call to another process. */
  readonly leaving: () => boolean;
  readonly unsent: UnsentCalls;
}

/** An operation that gRPC callers can call. */
export interface GrpcOperation {
  /** When undefined, the metadata of each call names the module. */
  readonly module?: string;
  readonly operation: string;
  readonly rpc: ProtoOperation;
}

type Unary = ServerUnaryCall<Buffer, Buffer>;

/** State of a call until its answer. */
interface State {
  answered: boolean;
}

/** Returns the handler that serves the calls of one operation. Cancels a call when its caller disconnects. */
export function handlerOf(
  served: GrpcOperation,
  parts: ServingDependencies,
): (call: Unary, answer: sendUnaryData<Buffer>) => void {
  const { leaving, unsent } = parts;
  return (call, answer) => {
    const state = { answered: false };
    serveCall(served, parts, call, state).then(
      (bytes) => {
        state.answered = true;
        unsent.answered(call, bytes.length);
        answer(null, bytes, leaving() ? mark(new Metadata()) : undefined);
      },
      (error) => {
        state.answered = true;
        parts.strangers.note(error, { module: served.module, from: call.getPeer() });
        if (!isRefusal(error)) parts.log.error({ error, path: served.rpc.path }, 'a call by gRPC failed');
        const refused = isRefusal(error) ? error : refusal('internal');
        const large = call.metadata.get(names.takesProblems).length > 0 ? toProblemMessage(refused) : undefined;
        const status = large ? problemMessage() : toStatus(refused);
        if (leaving()) mark(status.metadata);
        if (!large) return answer(status);
        unsent.answered(call, large.length);
        answer(null, large, status.metadata);
      },
    );
  };
}

/** Returns the metadata of an answer whose message is a refusal. */
function problemMessage(): { metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(names.problemMessage, '1');
  return { metadata };
}

/** Serves one call. Verifies the caller and the context first, and decodes the input only then. */
async function serveCall(
  served: GrpcOperation,
  { tokens, serve }: ServingDependencies,
  call: Unary,
  state: State,
): Promise<Buffer> {
  const { operation, rpc } = served;
  const read = readerOf(call.metadata);
  const module = served.module ?? read(names.module);
  if (module === undefined) throw refusal('malformed-request', `${names.module} must name the module`);
  const caller = await tokens.verify(bearer(read(names.token)), module);
  const context = await fromWire(fromHeaders(read, timeLeft(call)), caller, tokens);
  const input = rpc.input.decode(call.request);
  if (call.cancelled) throw refusal('cancelled');
  // grpc-js also emits `cancelled` after each answer.
  call.on('cancelled', () => state.answered || context.cancellation?.cancel());
  const output = await serve(module, operation, input, context);
  const bytes = rpc.output.encode(output);
  refuseTooLarge(bytes, output, 'the answer');
  return bytes;
}

/** Returns the milliseconds until gRPC's own deadline; undefined when the caller has set no deadline. */
function timeLeft(call: Unary): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? Math.max(0, deadline - Date.now()) : undefined;
}

function mark(metadata: Metadata): Metadata {
  metadata.set(names.leaving, '1');
  return metadata;
}
