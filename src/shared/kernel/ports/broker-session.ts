import { background } from '../context/index.ts';
import type { Silence } from './silence.ts';
import type { TlsMaterial } from './tls.ts';

/** A message to processes that serve a module. */
export interface Outbound {
  /** Any one of the module's instances, or all of them. */
  readonly to: 'one' | 'all';
  readonly module: string;
  /** The answer carries the same id. */
  readonly id: string;
  /** The service token of the caller. */
  readonly token: string;
  readonly body: Buffer;
  /** The message need not arrive after this time, in milliseconds. */
  readonly lifeMs: number;
}

/** A received message. Its sender is not authenticated yet. */
export interface Inbound {
  readonly id: string;
  readonly authorization: string | undefined;
  /** The parsed JSON; undefined when the message is not JSON. */
  readonly content: unknown;
  /** Whether another instance received the message before, and stopped. */
  readonly hadByOther: boolean;
  /** Sends the answer. Call it once at most. Does nothing when the connection is lost. */
  answer(body: Buffer): void;
}

/** Receives the answers for a calling process. */
export interface Replies {
  answered(id: string, content: unknown): void;
  /** Reports that no instance was there to receive the message. */
  nobody(id: string): void;
}

/** Receives the messages for a serving process. */
export interface Requests {
  one(message: Inbound): void;
  all(message: Inbound): void;
}

/** The subscription of one session to the requests for one module. */
export interface RequestSubscription {
  /** Stops taking requests. Resolves when all requests in transit have arrived. Still receives messages to all instances. */
  leave(): Promise<void>;
  /** Stops receiving messages. Resolves when all answers have left. */
  close(): Promise<void>;
}

/** One connection to a broker. A session never reconnects: a new session replaces it. */
export interface BrokerSession {
  /** The size of the largest message, in bytes, and the remedy when that is too small. */
  readonly largest: { readonly bytes: number; readonly cure: string };
  /** Whether requests wait at the broker until an instance has time, so that they survive the loss of an instance. */
  readonly keepsRequests: boolean;
  /** Sends a message. Throws when the session accepts no message now. */
  send(message: Outbound): void;
  subscribe(module: string, requests: Requests): Promise<RequestSubscription>;
  /** Ends the session when all sent messages have left, but after a second at most. `why` is the reason, if any. */
  close(why?: unknown): Promise<void>;
  /** Resolves when it has ended, with the reason. */
  readonly ended: Promise<unknown>;
}

/** Both values are whole seconds, and the second is a multiple of the first, as RabbitMQ's heartbeats require. */
export const brokerSilence: Silence = { askAfterMs: 5_000, goneAfterMs: 15_000 };

/** Describes how to reach a broker. */
export interface BrokerWay {
  readonly url: URL;
  readonly tls: TlsMaterial;
  readonly silence: Silence;
}

/** Connects; rejects when that fails, or takes longer than a second. */
export type OpenSession = (way: BrokerWay, replies: Replies) => Promise<BrokerSession>;

const lastWordsMs = 1_000;

/** Resolves when `task` has resolved or rejected, or after a second. */
export async function inASecond(task: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = background.setTimeout(late.resolve, lastWordsMs).unref();
  await Promise.race([task.catch(() => {}), late.promise]);
  clearTimeout(timer);
}

/** Parses a text as JSON. Returns undefined when it is not JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
