import { Channel, type StatusObject, status } from '@grpc/grpc-js';
import { cancelledBefore, kernel, kernelOperation, type Link, unreachableBecause } from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import type { Contract, Operation } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import {
  type CallerTokens,
  type Outgoing,
  type Silence,
  type TlsMaterial,
  WireTransport,
} from '../../kernel/ports/index.ts';
import { Connection } from './connection.ts';
import { type ProtoOperation, protoOf } from './proto/proto.ts';
import { names, refuseTooLarge, toMetadata } from './protocol.ts';
import { fromStatus, refusalIn } from './status.ts';

/** Route to a module in another process over gRPC. */
export interface GrpcWay {
  /** `grpc://10.0.0.7:4102`, or `grpcs://…` for TLS. */
  readonly address: string;
  readonly module: string;
  /** Contract of the module. It defines the wire names of the operations and the encoding of their values. */
  readonly contract: Contract;
  readonly tokens: CallerTokens;
  readonly tls?: TlsMaterial;
  /** Called when the process at the address is about to stop, or has stopped. */
  readonly onLeaving?: () => void;
  /** Times after which the client detects a dead connection. */
  readonly silence?: Silence;
}

/** A call with its encoded input. */
interface Written extends Outgoing {
  readonly rpc: ProtoOperation;
  readonly bytes: Buffer;
}

type Ending = (code: status, details: string) => void;

/** Calls a module of another process over one HTTP/2 connection. The process may run this kernel or any other program. */
export class GrpcTransport extends WireTransport implements Link {
  readonly #rpcs: ReadonlyMap<string, ProtoOperation>;
  readonly #inFlight = new Set<Ending>();
  readonly #connection: Connection;
  #leaving = false;
  private readonly way: GrpcWay;

  constructor(way: GrpcWay) {
    super(way.tokens);
    this.way = way;
    this.#rpcs = protoOf(way.contract).operations;
    this.#connection = new Connection({ ...way, onLost: () => this.#tellLeaving(false) });
  }

  async close(): Promise<void> {
    this.#connection.close();
    for (const end of this.#inFlight) end(status.UNAVAILABLE, 'this process has closed the connection');
  }

  protected send(outgoing: Outgoing): Promise<unknown> {
    const { operation, input, context } = outgoing;
    const rpc = this.#rpcOf(operation);
    const bytes = rpc.input.encode(input);
    refuseTooLarge(bytes, input, `the input of ${operation.module}.${operation.name}`);
    const written = { ...outgoing, rpc, bytes };
    const token = this.tokens.issued(context.caller, this.way.module);
    const channel = this.#connection.channel();
    return token && channel instanceof Channel ? this.#ask(channel, token, written) : this.#askLater(channel, written);
  }

  async #askLater(connecting: Channel | Promise<Channel>, written: Written): Promise<unknown> {
    const { context, operation } = written;
    const connected = Promise.resolve(connecting).catch((error) => {
      throw unreachableBecause(this.way.module, error, false);
    });
    const [channel, token] = await Promise.all([connected, this.tokens.issue(context.caller, this.way.module)]);
    if (context.cancellation?.cancelled) throw cancelledBefore(operation);
    return this.#ask(channel, token, written);
  }

  /** Bypasses the client of grpc-js: it captures a stack trace for each call, which takes a tenth of the call's time. */
  #ask(channel: Channel, token: string, { rpc, bytes, operation, context, wire }: Written): Promise<unknown> {
    const about = kernelOperation(operation.name) ? operation.module : undefined;
    return new Promise((resolve, reject) => {
      const call = channel.createCall(rpc.path, Number.POSITIVE_INFINITY, null, null, null);
      const end: Ending = (code, details) => call.cancelWithStatus(code, details);
      this.#inFlight.add(end);
      let answer: Buffer | undefined;
      call.start(toMetadata(wire, token, about), {
        onReceiveMetadata() {},
        onReceiveMessage(message) {
          answer = message;
        },
        onReceiveStatus: (ended) => {
          this.#inFlight.delete(end);
          if (!this.#leaving && ended.metadata.get(names.leaving).length > 0) this.#tellLeaving(true);
          try {
            resolve(outcome(ended, answer, operation, rpc));
          } catch (error) {
            reject(error);
          }
        },
      });
      call.startRead();
      call.sendMessageWithContext({}, bytes);
      call.halfClose();
      // A cancellation in the turn of the send would end the call here only: grpc-js would not notify the callee.
      context.cancellation?.onCancel(() => background.setImmediate(() => end(status.CANCELLED, 'its caller gave up')));
    });
  }

  /** Notifies the owner once for each connection, although each answer carries the mark. */
  #tellLeaving(stillThere: boolean): void {
    this.#leaving = stillThere;
    this.way.onLeaving?.();
  }

  #rpcOf({ module, name }: Operation): ProtoOperation {
    const known = kernelOperation(name);
    const rpc = known ? protoOf(kernel).operations.get(known) : this.#rpcs.get(name);
    if (rpc) return rpc;
    throw refusal('not-found', `${module} has no operation "${name}"`);
  }
}

function outcome(ended: StatusObject, answer: Buffer | undefined, operation: Operation, rpc: ProtoOperation): unknown {
  if (ended.code === status.OK) {
    const refused = refusalIn(ended.metadata, answer!);
    if (refused) throw refused;
    try {
      return rpc.output.decode(answer!);
    } catch (cause) {
      const what = `${operation.module}.${operation.name} gave an answer that does not match its contract`;
      throw refusal('internal', what, {}, { cause });
    }
  }
  // A program without this kernel answers the kernel's ping with UNIMPLEMENTED, which proves that it is alive.
  if (ended.code === status.UNIMPLEMENTED && kernelOperation(operation.name) === 'ping') return {};
  throw fromStatus(ended, operation);
}
