import type { CallContext } from '../../context/index.ts';
import type { Client, Contract } from '../../contract/index.ts';
import type { Refusal } from '../../errors/index.ts';
import { fixedKeyRing, ServiceTokens } from '../../identity/index.ts';
import { silentLog } from '../../observability/index.ts';
import { createCall, createClient } from '../client.ts';
import type { TlsParts } from '../tls.ts';
import { sample, serve as serveSample } from '../transport.cases.ts';
import type { Serve, Transport } from '../transport.ts';
import type { OpenWire } from '../wire.cases.ts';
import { GrpcTransport } from './client.ts';
import { createGrpcServer, type GrpcServer } from './server.ts';

export const tokens = new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters'));

interface SceneParts {
  readonly serve?: Serve;
  readonly contract?: Contract;
  readonly tls?: TlsParts;
  readonly port?: number;
}

/** Both ends of the gRPC transport in one process. */
export interface Scene extends GrpcServer {
  /** Without its protocol. */
  readonly at: string;
  /** A way to the module, which is closed with this. */
  link(tls?: TlsParts, onLeaving?: () => void): GrpcTransport;
}

export async function openScene({
  serve = serveSample,
  contract = sample,
  tls,
  port = 0,
}: SceneParts = {}): Promise<Scene> {
  const server = createGrpcServer({ serve, tokens, log: silentLog, tls, modules: [contract] });
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

/** A callee that can be reached through a network that is not well. */
export async function openWire(): Promise<OpenWire> {
  let callee = await openScene();
  const port = Number(callee.at.split(':')[1]);
  // So short that a case can wait for it.
  const silence = { askAfterMs: 200, goneAfterMs: 900 };
  return {
    port,
    link: (other) =>
      new GrpcTransport({ address: `grpc://127.0.0.1:${other}`, module: 'sample', contract: sample, tokens, silence }),
    reconnectsWithinMs: 2_000,
    async restart(meanwhile) {
      await callee.close();
      await meanwhile();
      callee = await openScene({ port });
    },
    close: () => callee.close(),
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

/** Begins to serve, tells its context, and goes on when it is let. */
export function held() {
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
