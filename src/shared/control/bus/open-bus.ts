import type { Clock } from '../../kernel/context/index.ts';
import { type Bus, MittBus, type Push, PushBus, type SubscriptionMap } from '../../kernel/events/index.ts';
import type { OpenBus } from '../../kernel/ports/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { ChangedBus } from './changed-bus.ts';

export interface BusDependencies {
  /** Finds the adapter for a broker. Throws a `StartError` when there is none. */
  readonly busOpenerFor: (url: URL) => OpenBus;
  /** `mitt`, `http` or a broker's URL. */
  readonly bus: string;
  /** The previous broker, while it may still keep events that no module has taken. */
  readonly before?: string;
  readonly subscriptions: SubscriptionMap;
  readonly push: Push;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opens the bus that the settings name. Does not wait for a broker: events stay in the outboxes until the broker is reachable. */
export async function openBus({ bus, before, push, busOpenerFor, ...parts }: BusDependencies): Promise<Bus> {
  const broker = (text: string) => {
    const url = new URL(text);
    return busOpenerFor(url)({ url, ...parts });
  };
  const http = new PushBus(parts.subscriptions, push);
  const open = () => (bus === 'mitt' ? new MittBus(parts.subscriptions, http) : bus === 'http' ? http : broker(bus));
  const opened = await open();
  return before && before !== bus ? new ChangedBus(opened, await broker(before), parts) : opened;
}
