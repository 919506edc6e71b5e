import type { StepOf } from '../../calls/index.ts';
import type { Bus } from '../bus.ts';
import type { EncodedEvent } from '../envelope.ts';

/** Events of one outbox on their way to one recipient, in order. */
export interface Delivery {
  readonly recipient: string;
  readonly events: readonly EncodedEvent[];
}

/** Gives the events to the bus. The last step of its part. */
export const deliver =
  ({ bus }: { readonly bus: Pick<Bus, 'deliver'> }): StepOf<Delivery> =>
  ({ recipient, events }) =>
    bus.deliver(recipient, events);
