import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type Changed, effectTable, type Ledger, orders, type Pipeline } from './pipeline.ts';

const pollMs = 100;
const { data: schema, type } = orders.events.changed;

interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/**
 * Opens a naive implementation of the same promise: one transaction for each event at both ends. Its relay polls every 100 ms,
 * then delivers and marks one event after the other.
 */
export function openNaive(folder: string, ledger: Ledger): Pipeline {
  const publish = publisher(join(folder, 'naive-orders.db'));
  const receive = subscriber(join(folder, 'naive-stats.db'), ledger);
  const relay = setInterval(() => {
    for (const { seq, envelope } of publish.open()) {
      receive(envelope);
      publish.mark(seq);
    }
  }, pollMs);
  return {
    name: 'naive',
    async publish(event) {
      publish.commit(event);
      ledger.committed(event.n);
    },
    async close() {
      clearInterval(relay);
    },
  };
}

function publisher(file: string) {
  const native = open(file);
  native.exec(`
    CREATE TABLE outbox (seq INTEGER PRIMARY KEY, envelope TEXT NOT NULL, delivered INTEGER NOT NULL);
    CREATE INDEX outbox_open ON outbox (seq) WHERE delivered = 0;
  `);
  const insert = native.prepare('INSERT INTO outbox (envelope, delivered) VALUES (?, 0)');
  const open_ = native.prepare('SELECT seq, envelope FROM outbox WHERE delivered = 0 ORDER BY seq');
  const mark = native.prepare('UPDATE outbox SET delivered = 1 WHERE seq = ?');
  const commit = native.transaction((event: Changed) => {
    insert.run(JSON.stringify({ id: randomUUID(), type, data: schema.parse(event) }));
  });
  return {
    commit: commit.immediate,
    open: () => open_.all() as { seq: number; envelope: string }[],
    mark: native.transaction((seq: number) => void mark.run(seq)).immediate,
  };
}

function subscriber(file: string, ledger: Ledger) {
  const native = open(file);
  native.exec(`CREATE TABLE inbox (id TEXT PRIMARY KEY) WITHOUT ROWID; ${effectTable}`);
  const remember = native.prepare('INSERT INTO inbox (id) VALUES (?) ON CONFLICT DO NOTHING');
  const effect = native.prepare('INSERT INTO effects (n, "order", amount) VALUES (?, ?, ?)');
  const take = native.transaction((id: string, { n, order, total }: Changed) => {
    if (remember.run(id).changes > 0) effect.run(n, order, total.amount);
  }).immediate;
  return (text: string) => {
    const { id, data } = JSON.parse(text) as Envelope;
    const event = schema.parse(data) as Changed;
    take(id, event);
    ledger.effected(event.n);
  };
}

function open(file: string) {
  const native = new Sqlite(file);
  native.pragma('journal_mode = WAL');
  native.pragma('synchronous = FULL');
  return native;
}
