import { refusal } from '../../src/shared/errors/index.ts';
import type { Bus } from '../../src/shared/events/index.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

const answerWithinMs = 5_000;

/** The bus as one process has it: what it hands over is the recipient's once that has answered. */
export function busOf(life: Life, world: World): Bus {
  return {
    recipients: (type) => world.subscriptions.recipients(type),
    async deliver(recipient, events) {
      const { source } = JSON.parse(events[0]!.json) as { source: string };
      const delivery = world.network.exchange(life, {
        from: source.split('/').at(-1)!,
        to: recipient,
        what: `event ${events.map(({ type }) => type.split('.')[1]).join(' and ')}`,
        line: JSON.stringify(events.map(({ json }) => JSON.parse(json))),
        deadline: world.scheduler.time + answerWithinMs,
        late: () => refusal('unavailable', `${recipient} did not take an event in time`),
        withKey: true,
        async serve(there, line) {
          const receive = there.receivers.get(recipient);
          if (!receive) throw refusal('unavailable', `${recipient} takes no events yet`);
          await Promise.all((JSON.parse(line) as unknown[]).map((event) => receive(event)));
        },
      });
      if (world.flaw !== 'marks an event as delivered before it is') await delivery;
      else delivery.catch(() => {});
    },
    async subscribe(module, receive) {
      life.receivers.set(module, receive);
      return async () => void life.receivers.delete(module);
    },
    held: async () => 0,
    async close() {},
  };
}
