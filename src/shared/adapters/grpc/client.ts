import { Channel, type StatusObject, status } from '@grpc/grpc-js';
import {
  cancelledBefore,
  kernel,
  kernelOperation,
  type Link,
  type Outgoing,
  type Silence,
  type TlsMaterial,
  unreachableBecause,
  WireTransport,
} from '../../kernel/calls/index.ts';
import { background } from '../../kernel/context/index.ts';
import type { Contract, Operation } from '../../kernel/contract/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { ServiceTokens } from '../../kernel/identity/index.ts';
import { Connection } from './connection.ts';
import { type ProtoOperation, protoOf } from './proto/proto.ts';
import { names, refuseTooLarge, toMetadata } from './protocol.ts';
import { fromStatus, refusalIn } from './status.ts';

/** How a process is reached by gRPC. */
export interface GrpcWay {
  /** `grpc://10.0.0.7:4102`, or `grpcs://…` for TLS. */
  readonly address: string;
  readonly module: string;
  /** The module's: how its operations are called on the wire, and how their values are written. */
  readonly contract: Contract;
  readonly tokens: ServiceTokens;
  readonly tls?: TlsMaterial;
  /** The process at the address is about to stop, or has stopped. */
  readonly onLeaving?: () => void;
  /** How soon it is noticed that a connection is dead. */
  readonly silence?: Silence;
}

/** A call whose input is written. */
interface Written extends Outgoing {
  readonly rpc: ProtoOperation;
  readonly bytes: Buffer;
}

type Ending = (code: status, details: string) => void;

/** Calls a module of another process, of this kernel or of any other program, over one HTTP/2 connection. */
export class GrpcTransport extends WireTransport implements Link {
  readonly #rpcs: ReadonlyMap<string, ProtoOperation>;
  readonly #underWay = new Set<Ending>();
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
    for (const end of this.#underWay) end(status.UNAVAILABLE, 'this process has closed the connection');
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

  /** Below grpc-js's own client, which would take a stack trace for each call: a tenth of what a call takes. */
  #ask(channel: Channel, token: string, { rpc, bytes, operation, context, wire }: Written): Promise<unknown> {
    const about = kernelOperation(operation.name) ? operation.module : undefined;
    return new Promise((resolve, reject) => {
      const call = channel.createCall(rpc.path, Number.POSITIVE_INFINITY, null, null, null);
      const end: Ending = (code, details) => call.cancelWithStatus(code, details);
      this.#underWay.add(end);
      let answer: Buffer | undefined;
      call.start(toMetadata(wire, token, about), {
        onReceiveMetadata() {},
        onReceiveMessage(message) {
          answer = message;
        },
        onReceiveStatus: (ended) => {
          this.#underWay.delete(end);
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
      // In the turn in which a call is sent, grpc-js ends it here and does not tell the callee.
      context.cancellation?.onCancel(() => background.setImmediate(() => end(status.CANCELLED, 'its caller gave up')));
    });
  }

  /** Once for each connection, though it is said with each answer. */
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
      const what = `${operation.module}.${operation.name} answered what its contract does not say`;
      throw refusal('internal', what, {}, { cause });
    }
  }
  // A program that knows nothing of this kernel answers its ping by saying so.
  if (ended.code === status.UNIMPLEMENTED && kernelOperation(operation.name) === 'ping') return {};
  throw fromStatus(ended, operation);
}
