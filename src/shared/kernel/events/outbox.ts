import { composeSteps } from '../calls/index.ts';
import type { Clock } from '../context/index.ts';
import type { Event } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { activeTrace } from '../telemetry/index.ts';
import type { Bus } from './bus.ts';
import { eventRoad } from './road.ts';
import type { PublishedEvent } from './steps/store.ts';

/** Stores a module's events, in the same unit of work as the change that they report, until the relay delivers them. */
export class Outbox {
  private readonly bus: Pick<Bus, 'recipients'>;
  private readonly clock: Clock;
  readonly #walk: (event: PublishedEvent) => Promise<void>;

  constructor(bus: Pick<Bus, 'recipients'>, clock: Clock, wake: (recipient: string) => void) {
    this.bus = bus;
    this.clock = clock;
    this.#walk = composeSteps(eventRoad.publish, { wake });
  }

  /** Publishes the event with the commit of `unit`, or not at all. Throws when `data` violates the event's schema or limits. */
  async publish(unit: Unit, event: Event, data: unknown): Promise<void> {
    const recipients = this.bus.recipients(event.type);
    await this.#walk({ unit, event, data, recipients, at: this.clock.now(), trace: activeTrace() });
  }
}
