import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { fixedKeyRing, ServiceTokens } from '../../control/identity/index.ts';
import { createCall, createClient, type Serve, type Transport } from '../../kernel/calls/index.ts';
import { sample, serve as serveSample } from '../../kernel/calls/transport.cases.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import type { Client, Contract } from '../../kernel/contract/index.ts';
import type { Refusal } from '../../kernel/errors/index.ts';
import type { CallListener, TlsMaterial } from '../../kernel/ports/index.ts';
import type { OpenWire } from '../../kernel/ports/wire.cases.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { GrpcTransport } from './client.ts';
import { createGrpcServer } from './server.ts';

export const keys = fixedKeyRing('TEST', 'a secret of more than 32 characters');
export const tokens = new ServiceTokens(keys);

interface GrpcSceneOptions {
  readonly serve?: Serve;
  readonly contract?: Contract;
  /** Tokens of the callee. */
  readonly tokens?: ServiceTokens;
  readonly tls?: TlsMaterial;
  /** Default: any free port. */
  readonly port?: number;
  readonly guardReflection?: boolean;
}

/** Both ends of the gRPC transport in one process. */
export interface GrpcScene extends CallListener {
  /** The address without its protocol. */
  readonly at: string;
  /** Returns a link to the module. `close` also closes the link. */
  link(tls?: TlsMaterial, onLeaving?: () => void): GrpcTransport;
}

export async function openScene(parts: GrpcSceneOptions = {}): Promise<GrpcScene> {
  const { serve = serveSample, contract = sample, tls, port = 0, guardReflection } = parts;
  const known = parts.tokens ?? tokens;
  const server = createGrpcServer({ serve, tokens: known, log: silentLog, tls, modules: [contract], guardReflection });
  const at = `127.0.0.1:${await server.listen('127.0.0.1', port)}`;
  const links: GrpcTransport[] = [];
  return {
    ...server,
    at,
    link(shown, onLeaving) {
      const address = `${shown ? 'grpcs' : 'grpc'}://${at}`;
      const link = new GrpcTransport({ address, module: contract.name, contract, tokens, tls: shown, onLeaving });
      links.push(link);
      return link;
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
      await server.close();
    },
  };
}

/** Short times, so that a case can wait for them. */
const silence = { askAfterMs: 200, goneAfterMs: 900 };

/** A callee behind a faulty network. */
export async function openWire(): Promise<OpenWire> {
  let callee = await openScene();
  const port = Number(callee.at.split(':')[1]);
  const connections = connectionsAt(port);
  return {
    port,
    link: (other, shown = tokens) => {
      const address = `grpc://127.0.0.1:${other}`;
      return new GrpcTransport({ address, module: 'sample', contract: sample, tokens: shown, silence });
    },
    reconnectsWithinMs: 2_000,
    async restart(meanwhile) {
      // A clean close would wait for the calls. grpc-js would end them at its next ping, and hide the loss.
      connections.cut();
      await callee.close();
      await meanwhile();
      callee = await openScene({ port });
    },
    async close() {
      connections.leave();
      await callee.close();
    },
  };
}

/** Collects the connections that any server of this process accepts at a port: a gRPC server does not expose them. */
function connectionsAt(port: number) {
  const sockets = new Set<Socket>();
  const take = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== port) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  subscribe('net.server.socket', take);
  return {
    /** Closes the connections abruptly. */
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    leave: () => unsubscribe('net.server.socket', take),
  };
}

export function clientOver(transport: Transport): Client<typeof sample>;
export function clientOver<C extends Contract>(transport: Transport, of: C): Client<C>;
export function clientOver(transport: Transport, of: Contract = sample) {
  return createClient(of, (operation) => createCall(operation, 'other', () => transport));
}

export function errorOf(call: Promise<unknown>): Promise<Refusal> {
  return call.then(
    () => Promise.reject(new Error('it was answered')),
    (error) => error,
  );
}

export const codeOf = async (call: Promise<unknown>) => (await errorOf(call)).code;

/** Creates a `serve` that reports its context at the beginning, and continues when the test allows it. */
export function gated() {
  const begun = Promise.withResolvers<CallContext>();
  const gate = Promise.withResolvers<void>();
  const serve: Serve = async (_module, operation, _input, context) => {
    if (operation !== 'when') return { text: 'x' };
    begun.resolve(context);
    await gate.promise;
    return {};
  };
  return { serve, begun: begun.promise, letGo: gate.resolve };
}

/** Delays the verification of the first call's token until the test allows it. */
export class SlowTokens extends ServiceTokens {
  readonly #asked = Promise.withResolvers<void>();
  readonly #gate = Promise.withResolvers<void>();
  #first = true;

  /** Resolves when the first call has arrived. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  letGo(): void {
    this.#gate.resolve();
  }

  override async verify(token: string | undefined, audience: string): Promise<string> {
    const isFirst = this.#first;
    this.#first = false;
    this.#asked.resolve();
    if (isFirst) await this.#gate.promise;
    return super.verify(token, audience);
  }
}
