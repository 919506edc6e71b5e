import { background } from '../../context/index.ts';
import type { Silence } from '../silence.ts';
import type { TlsMaterial } from '../tls.ts';

/** A message to processes that serve a module. */
export interface Outbound {
  /** One of its instances, whichever; or all of them. */
  readonly to: 'one' | 'all';
  readonly module: string;
  /** Under which it is answered. */
  readonly id: string;
  /** The service token of the caller. */
  readonly token: string;
  readonly body: Buffer;
  /** After so long it need not arrive any more. */
  readonly lifeMs: number;
}

/** A message as it came, from whomever. */
export interface Inbound {
  readonly id: string;
  readonly authorization: string | undefined;
  /** What the JSON says; undefined when it is none. */
  readonly content: unknown;
  /** Another instance had it, and has gone. */
  readonly hadByOther: boolean;
  /** Once at most. Does nothing when the connection is lost. */
  answer(body: Buffer): void;
}

/** What a process that calls hears. */
export interface Replies {
  answered(id: string, content: unknown): void;
  /** There was nobody to take the message. */
  nobody(id: string): void;
}

/** What a process that serves hears. */
export interface Requests {
  one(message: Inbound): void;
  all(message: Inbound): void;
}

/** Requests of one module that come by one session. */
export interface RequestSubscription {
  /** Takes no more requests; resolves when all that were on their way are handed over. Still hears what is for all. */
  leave(): Promise<void>;
  /** Hears nothing more; resolves when what was answered has left. */
  close(): Promise<void>;
}

/** One connection to a broker. It ends once and for all; another one follows. */
export interface BrokerSession {
  /** The largest message, in bytes, and what to do where that is too little. */
  readonly largest: { readonly bytes: number; readonly cure: string };
  /** Whether requests wait at the broker until an instance has time, and are not lost with one. */
  readonly keepsRequests: boolean;
  /** Throws when it takes nothing now. */
  send(message: Outbound): void;
  subscribe(module: string, requests: Requests): Promise<RequestSubscription>;
  /** Ends, for `why` if there is a reason, when what was sent has left; after a second at most. */
  close(why?: unknown): Promise<void>;
  /** Resolves when it has ended, with the reason. */
  readonly ended: Promise<unknown>;
}

/** Whole seconds, of which the first divides the second: RabbitMQ's own heartbeats are counted so. */
export const brokerSilence: Silence = { askAfterMs: 5_000, goneAfterMs: 15_000 };

/** How a broker is reached. */
export interface BrokerWay {
  readonly url: URL;
  readonly tls: TlsMaterial;
  readonly silence: Silence;
}

/** Connects; rejects when that fails, or takes longer than a second. */
export type OpenSession = (way: BrokerWay, replies: Replies) => Promise<BrokerSession>;

const lastWordsMs = 1_000;

/** Resolves when `task` has settled, however, or a second is over. */
export async function inASecond(task: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = background.setTimeout(late.resolve, lastWordsMs).unref();
  await Promise.race([task.catch(() => {}), late.promise]);
  clearTimeout(timer);
}

/** What a message says, as JSON; undefined when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
