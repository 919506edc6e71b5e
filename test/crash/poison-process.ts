// A process that publishes and handles events, with its data in the given folder. One event kills the process.
import { join } from 'node:path';
import { z } from 'zod';
import { openSqlite } from '../../src/shared/adapters/sqlite/index.ts';
import { systemClock } from '../../src/shared/kernel/context/index.ts';
import { contract, event } from '../../src/shared/kernel/contract/index.ts';
import type { Unit } from '../../src/shared/kernel/database/index.ts';
import {
  eventMigrations,
  Inbox,
  Outbox,
  Relay,
  type Subscription,
  subscriptionMap,
} from '../../src/shared/kernel/events/index.ts';
import { MittBus } from '../../src/shared/kernel/events/mitt-bus.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';

const [folder = '', publishes] = process.argv.slice(2);
const shop = contract('shop', {
  operations: {},
  events: { sold: event('sold', 1, 'customer', z.object({ customer: z.string() })) },
});
const { sold } = shop.events;
const open = (name: string) => openSqlite(name, join(folder, `${name}.db`), eventMigrations);
const [publisher, database] = [open('shop'), open('mail')];
const bus = new MittBus(subscriptionMap([{ contract: { name: 'mail' }, subscriptions: [{ event: sold }] }]), {
  deliver: async () => {},
});
const relay = new Relay({ module: 'shop', database: publisher, bus, clock: systemClock, log: silentLog });
const outbox = new Outbox(bus, systemClock, (recipient) => relay.wake(recipient));
const handle = async ({ customer }: { customer: string }, unit: Unit) => {
  if (customer === 'poison') process.kill(process.pid, 'SIGKILL');
  unit.afterCommit(() => process.send?.(customer));
};
const subscriptions: Subscription[] = [{ event: sold, handle }];
const work = <T>(task: (unit: Unit) => Promise<T>) => database.work(task);
const parts = { module: 'mail', subscriptions, database, work, clock: systemClock, log: silentLog };
const inbox = new Inbox<Unit>(parts);
await inbox.start();
await bus.subscribe('mail', (each, exhausted) => inbox.receive(each, exhausted));
relay.start(['mail']);
if (publishes)
  await publisher.work(async (unit) => {
    for (const customer of ['poison', 'good']) await outbox.publish(unit, sold, { customer });
  });
// Keeps the process alive. The kernel's timers do not.
setInterval(() => {}, 1_000);
