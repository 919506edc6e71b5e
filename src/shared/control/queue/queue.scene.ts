import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach } from 'vitest';
import { adapters } from '../../../../test/harness/adapters.ts';
import type { Serve } from '../../kernel/calls/index.ts';
import { createCall, createClient } from '../../kernel/calls/index.ts';
import { sample } from '../../kernel/calls/transport.cases.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import { type BrokerSession, brokerSilence, type Outbound } from '../../kernel/ports/index.ts';
import { type Log, silentLog } from '../../kernel/telemetry/index.ts';
import { fixedKeyRing, ServiceTokens } from '../identity/index.ts';
import { QueueTransport } from './client.ts';
import { type QueueServer, serveQueue } from './server.ts';

export const tokens = new ServiceTokens(fixedKeyRing('TEST', 'a secret of more than 32 characters'));

/** For calls that must not end by their deadline. */
export const patient = { timeoutMs: 60_000 };

/** A client of the broker that uses a session directly, without the code above it. */
export interface Outsider {
  readonly session: BrokerSession;
  /** Resolves with the raw answer. Resolves with `nobody` when the broker returns the message. */
  ask(message: Partial<Outbound>): Promise<unknown>;
}

/** Callers and instances at one broker, in their own namespace; for tests. */
export class QueueScene {
  readonly url: string;
  readonly warnings: string[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  private readonly broker: string;

  constructor(broker: string) {
    this.broker = broker;
    this.url = this.another();
  }

  /** Another namespace at the same broker. */
  another(): string {
    return `${this.broker}?namespace=test-${randomUUID()}`;
  }

  async serve(serve: Serve, url = this.url, module = 'sample'): Promise<QueueServer> {
    const log = { ...silentLog, warn: (_about: object, text: string) => this.warnings.push(text) } as unknown as Log;
    const server = await serveQueue({ openSession: adapters.sessionOpenerFor(url), url, module, serve, tokens, log });
    this.#closing.push(() => server.close());
    return server;
  }

  link(url = this.url, module = 'sample'): QueueTransport {
    const link = new QueueTransport({ openSession: adapters.sessionOpenerFor(url), address: url, module, tokens });
    this.#closing.unshift(() => link.close());
    return link;
  }

  client(link = this.link()) {
    return createClient(sample, (operation) => createCall(operation, 'other', () => link));
  }

  async outsider(): Promise<Outsider> {
    const asked = new Map<string, (answer: unknown) => void>();
    const open = adapters.sessionOpenerFor(this.url);
    const session = await open(
      { url: new URL(this.url), tls: {}, silence: brokerSilence },
      {
        answered: (id, content) => asked.get(id)?.(content),
        nobody: (id) => asked.get(id)?.('nobody'),
      },
    );
    this.#closing.push(() => session.close());
    return {
      session,
      async ask(message) {
        const id = message.id ?? randomUUID();
        const answer = new Promise((resolve) => asked.set(id, resolve));
        const token = await tokens.issue('other', 'sample');
        session.send({ to: 'one', module: 'sample', body: bodyOf({}), token, lifeMs: 5_000, ...message, id });
        return answer;
      },
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closing) await close();
  }
}

/** An encoded request. */
export function bodyOf(parts: { operation?: string; input?: unknown; deadlineMs?: number }): Buffer {
  const { operation = 'echo', input = { text: 'x' }, deadlineMs = 5_000 } = parts;
  return Buffer.from(JSON.stringify({ operation, input, context: { requestId: 'r', deadlineMs } }));
}

/** Creates a scene for each test of a suite. */
export function withScene(url: string): () => QueueScene {
  let scene: QueueScene;
  beforeEach(() => {
    scene = new QueueScene(url);
  });
  afterEach(() => scene.close());
  return () => scene;
}

export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Never answers, and records the context of each call. */
export class Holding {
  readonly contexts: CallContext[] = [];
  readonly serve: Serve = (_module, _name, _input, context) => {
    this.contexts.push(context);
    return new Promise((_resolve, reject) => context.cancellation!.onCancel(() => reject(new Error('cancelled'))));
  };

  /** For each call, in order of the ids of their requests: whether it was cancelled. */
  get cancelled(): Record<string, boolean> {
    return Object.fromEntries(
      this.contexts.map(({ idempotencyKey, cancellation }) => [idempotencyKey, cancellation!.cancelled]),
    );
  }
}
