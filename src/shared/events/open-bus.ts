import { type BrokerProtocol, isBroker } from '../address/index.ts';
import type { Clock } from '../clock/index.ts';
import type { Log } from '../observability/index.ts';
import type { BrokerParts } from './brokers/broker.ts';
import type { Bus, SubscriptionMap } from './bus.ts';
import { ChangedBus } from './changed-bus.ts';
import { HttpBus, type Push } from './http.ts';
import { MittBus } from './mitt.ts';

/** The brokers there are, by the protocol of their URLs. Each is loaded only when it is used. */
const brokers: Record<BrokerProtocol, (parts: BrokerParts) => Promise<Bus>> = {
  'amqp:': async (parts) => (await import('./brokers/amqp.ts')).openAmqp(parts),
  'amqps:': async (parts) => (await import('./brokers/amqp.ts')).openAmqp(parts),
  'kafka:': async (parts) => (await import('./brokers/kafka.ts')).openKafka(parts),
  'kafkas:': async (parts) => (await import('./brokers/kafka.ts')).openKafka(parts),
  'nats:': async (parts) => (await import('./brokers/nats.ts')).openNats(parts),
  'tls:': async (parts) => (await import('./brokers/nats.ts')).openNats(parts),
};

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
  const broker = (text: string) => {
    const url = new URL(text);
    return brokers[url.protocol as BrokerProtocol]({ url, ...parts });
  };
  const http = new HttpBus(parts.subscriptions, push);
  const opened = isBroker(bus) ? await broker(bus) : bus === 'http' ? http : new MittBus(parts.subscriptions, http);
  return before && before !== bus ? new ChangedBus(opened, await broker(before), parts) : opened;
}
