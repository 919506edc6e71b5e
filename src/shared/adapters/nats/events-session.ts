import { isDeepStrictEqual } from 'node:util';
import {
  AckPolicy,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node';
import type { SubscriptionMap } from '../../kernel/events/index.ts';
import { maxInFlight } from '../../kernel/ports/index.ts';
import { serverOf } from './connection.ts';

const minuteMs = 60_000;
const weekMs = 7 * 24 * 60 * minuteMs;
const patienceMs = 4_000;

/** The server redelivers an event after this time without an acknowledgment or a progress report. */
export const ackWaitMs = 5_000;

/** A connection with a declared stream and consumers. It never reconnects; a new session replaces it. */
export interface NatsSession {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  /** Resolves with the current state of the module's consumer. */
  consumer(module: string): Promise<ConsumerInfo>;
  end(why: unknown): void;
  /** Resolves with the reason when the session has ended. */
  readonly ended: Promise<unknown>;
}

/** Connects, and declares the stream and the consumers of all modules that subscribe. Rejects when any of it fails. */
export async function openSession(url: URL, stream: string, subscriptions: SubscriptionMap): Promise<NatsSession> {
  const connection = await connect({ ...serverOf(url), name: 'kerf', timeout: patienceMs, pingInterval: 10_000 });
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: patienceMs });
    await declareStream(manager, stream);
    const several = takesSeveralFilters(connection);
    const declared = subscriptions.modules.map(async (module) => {
      const families = subscriptions.families(module);
      if (families.length > 0) await declareConsumer(manager, module, { stream, families, several });
    });
    await Promise.all(declared);
    return sessionOver(connection, manager, stream);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function sessionOver(connection: NatsConnection, manager: JetStreamManager, stream: string): NatsSession {
  let reason: unknown;
  return {
    connection,
    client: jetstream(connection, { timeout: patienceMs }),
    consumer: (module) => manager.consumers.info(stream, module),
    end(why) {
      reason ??= why;
      void connection.close();
    },
    ended: connection.closed().then((error) => reason ?? error ?? new Error('the connection was closed')),
  };
}

/** Creates the stream if it is missing. Leaves an existing stream unchanged: an operator may have changed its limits or replicas. */
async function declareStream(manager: JetStreamManager, name: string): Promise<void> {
  if (await found(manager.streams.info(name))) return;
  await manager.streams.add({
    name,
    subjects: [`${name}.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    max_age: nanos(weekMs),
    duplicate_window: nanos(5 * minuteMs),
  });
}

/**
 * Creates or updates the consumer of a module. Adds filters and never removes them, so that a process with an earlier version of a
 * module takes no events away from a later version. The subscriber skips surplus events.
 */
async function declareConsumer(manager: JetStreamManager, module: string, { stream, families, several }: Wanted) {
  const there = (await found(manager.consumers.info(stream, module)))?.config;
  const had = there ? (there.filter_subjects ?? [there.filter_subject ?? `${stream}.>`]) : [];
  const subjects = [...new Set([...had, ...families.map((family) => `${stream}.${family}.>`)])].sort();
  const limits = { ack_wait: nanos(ackWaitMs), max_ack_pending: maxInFlight, max_deliver: -1 };
  const config = { ...limits, ...filter(subjects, stream, several) };
  if (!there) {
    const fixed = { durable_name: module, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.New };
    await manager.consumers.add(stream, { ...fixed, ...config });
  } else if (!Object.entries(config).every(([name, value]) => isDeepStrictEqual(there[name as never], value)))
    await manager.consumers.update(stream, module, config);
}

interface Wanted {
  readonly stream: string;
  readonly families: readonly string[];
  /** Whether the server supports several filters. */
  readonly several: boolean;
}

function filter(subjects: string[], stream: string, several: boolean) {
  const all = `${stream}.>`;
  if (several && subjects.length > 1 && !subjects.includes(all))
    return { filter_subject: undefined, filter_subjects: subjects };
  return { filter_subject: subjects.length === 1 ? subjects[0] : all, filter_subjects: undefined };
}

/** Tells whether the server supports several filters (from 2.10 on). */
function takesSeveralFilters({ info }: NatsConnection): boolean {
  const [major = 0, minor = 0] = (info?.version ?? '').split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 10);
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: { status?: number }) => {
    if (error.status === 404) return undefined;
    throw error;
  });
}
