import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { openSqlite } from '../../src/shared/adapters/sqlite/index.ts';
import { systemClock } from '../../src/shared/kernel/context/index.ts';
import { defineTables, prepared, type Unit } from '../../src/shared/kernel/database/index.ts';
import { eventMigrations, Inbox, Outbox, Relay } from '../../src/shared/kernel/events/index.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import type { Carrier } from './carriers.ts';
import { type Changed, effectTable, type Ledger, orders, type Pipeline } from './pipeline.ts';

const tables = defineTables(({ table, text, integer }) => ({
  effects: table('effects', {
    n: integer('n').primaryKey(),
    order: text('order').notNull(),
    amount: integer('amount').notNull(),
  }),
}));

const insertEffect = prepared((unit) =>
  unit.db
    .insert(tables(unit).effects)
    .values({ n: sql.placeholder('n'), order: sql.placeholder('order'), amount: sql.placeholder('amount') })
    .prepare(),
);

/** Opens a pipeline of outbox, relay, bus and inbox between two databases in `folder`. */
export async function openPipeline(carrier: Carrier, folder: string, ledger: Ledger): Promise<Pipeline> {
  const { name, bus, attach } = carrier;
  const publisher = openSqlite('orders', join(folder, `${name}-orders.db`), eventMigrations);
  const effects = { name: 'effects', sqlite: effectTable };
  const subscriber = openSqlite('stats', join(folder, `${name}-stats.db`), [...eventMigrations, effects]);
  const relay = new Relay({ module: 'shop', database: publisher, bus, clock: systemClock, log: silentLog });
  const outbox = new Outbox(bus, systemClock, (recipient) => relay.wake(recipient));
  const handle = async ({ n, order, total }: Changed, unit: Unit) => {
    await insertEffect(unit).execute({ n, order, amount: total.amount });
    unit.afterCommit(() => ledger.effected(n));
  };
  const inbox = new Inbox<Unit>({
    module: 'stats',
    subscriptions: [{ event: orders.events.changed, handle }],
    database: subscriber,
    work: (task) => subscriber.work(task),
    clock: systemClock,
    log: silentLog,
  });
  await inbox.start();
  const detach = await attach('stats', (event) => inbox.receive(event));
  relay.start(bus.recipients(orders.events.changed.type));
  return {
    name,
    publish: (event) =>
      publisher.work(async (unit) => {
        unit.afterCommit(() => ledger.committed(event.n));
        await outbox.publish(unit, orders.events.changed, event);
      }),
    async close() {
      await relay.stop();
      await detach();
      await inbox.stop();
      await carrier.close();
      await Promise.all([publisher.close(), subscriber.close()]);
    },
  };
}
