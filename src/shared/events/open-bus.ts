import type { Clock } from '../clock/index.ts';
import type { Log } from '../observability/index.ts';
import type { BrokerParts } from './brokers/broker.ts';
import type { Bus, SubscriptionMap } from './bus.ts';
import { ChangedBus } from './changed-bus.ts';
import { HttpBus, type Push } from './http.ts';
import { MittBus } from './mitt.ts';

/** The brokers there are, by the protocol of their URLs. Each is loaded only when it is used. */
const brokers: Record<string, (parts: BrokerParts) => Promise<Bus>> = {
  'amqp:': async (parts) => (await import('./brokers/amqp.ts')).openAmqp(parts),
  'amqps:': async (parts) => (await import('./brokers/amqp.ts')).openAmqp(parts),
  'kafka:': async (parts) => (await import('./brokers/kafka.ts')).openKafka(parts),
  'kafkas:': async (parts) => (await import('./brokers/kafka.ts')).openKafka(parts),
  'nats:': async (parts) => (await import('./brokers/nats.ts')).openNats(parts),
  'tls:': async (parts) => (await import('./brokers/nats.ts')).openNats(parts),
};

const parameters: Record<string, RegExp> = {
  namespace: /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/,
  partitions: /^[1-9]\d{0,3}$/,
  retentionHours: /^[1-9]\d{0,4}$/,
  mechanism: /^[A-Z0-9-]+$/,
};

/**
 * Whether `text` is a broker's URL, such as `amqp://user:secret@broker?namespace=shop`: one host, user and password
 * percent-encoded, no parameter but `namespace` and Kafka's own.
 */
export function isBroker(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, searchParams } = new URL(text);
  const known = [...searchParams].every(([name, value]) => parameters[name]?.test(value));
  return Object.hasOwn(brokers, protocol) && /^[^,]+$/.test(hostname) && known && isDecodable(username + password);
}

function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** A bus as it may be shown: of a URL, neither user nor password. */
export function shownBus(text: string): string {
  return isBroker(text) ? `${new URL(text).protocol}//${new URL(text).host}` : text;
}

export interface BusParts {
  /** `mitt`, `http` or a broker's URL. */
  readonly bus: string;
  /** The broker that carried events before, while it may keep some that were not taken. */
  readonly before?: string;
  readonly subscriptions: SubscriptionMap;
  readonly push: Push;
  readonly clock: Clock;
  readonly log: Log;
}

/** The bus that the settings name. Does not wait for a broker: until it can be reached, events stay in the outboxes. */
export async function openBus({ bus, before, push, ...parts }: BusParts): Promise<Bus> {
  const broker = (text: string) => brokers[new URL(text).protocol]!({ url: new URL(text), ...parts });
  const http = new HttpBus(parts.subscriptions, push);
  const opened = isBroker(bus) ? await broker(bus) : bus === 'http' ? http : new MittBus(parts.subscriptions, http);
  return before && before !== bus ? new ChangedBus(opened, await broker(before), parts) : opened;
}
