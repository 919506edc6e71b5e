// The rows that an order of Kerf writes, without Kerf: one database for each module, and the statements of sagas, outboxes, inboxes
// and answers.
import { randomUUID } from 'node:crypto';
import { openSync } from 'node:fs';
import { serve } from '@hono/node-server';
import Sqlite from 'better-sqlite3';
import { Hono } from 'hono';
import { checkoutBody, keyHeader, memberOf, ready } from './shop.mjs';

const sagas = `
  CREATE TABLE kerf_sagas (id TEXT PRIMARY KEY, name TEXT, version INTEGER, state TEXT, step INTEGER, data TEXT, attempts INTEGER,
    next_attempt_at INTEGER, deadline INTEGER, updated_at INTEGER, owner TEXT, fence INTEGER, history TEXT);
  CREATE INDEX open ON kerf_sagas (next_attempt_at) WHERE state IN ('running', 'compensating');
  CREATE INDEX ended ON kerf_sagas (updated_at) WHERE state IN ('done', 'compensated');`;
const answers = `
  CREATE TABLE kerf_commands (key TEXT PRIMARY KEY, fingerprint TEXT, output TEXT, at INTEGER) WITHOUT ROWID;
  CREATE INDEX at ON kerf_commands (at);`;
const outbox = `
  CREATE TABLE kerf_outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT, type TEXT, recipient TEXT, key TEXT, envelope TEXT,
    state TEXT, created_at INTEGER, settled_at INTEGER);
  CREATE INDEX waiting ON kerf_outbox (recipient, seq) WHERE state IN ('pending', 'failed');
  CREATE INDEX settled ON kerf_outbox (settled_at) WHERE state IN ('delivered', 'discarded');`;
const inbox = `
  CREATE TABLE kerf_inbox (event_id TEXT PRIMARY KEY, received_at INTEGER) WITHOUT ROWID;
  CREATE INDEX received ON kerf_inbox (received_at);
  CREATE TABLE kerf_held (seq INTEGER PRIMARY KEY, key TEXT, state TEXT);
  CREATE INDEX held ON kerf_held (key, seq) WHERE state IN ('pending', 'failed');`;

const beginSaga = (o, id, data) => [
  "INSERT INTO kerf_sagas VALUES (?, 'saga', 1, 'running', 0, ?, 0, ?, ?, ?, 'owner', 1, '[]')",
  ...[id, data, o.now, o.now + 30_000, o.now],
];
const stepSaga = (o, id, data, step) => [
  "UPDATE kerf_sagas SET step = ?, data = ?, updated_at = ?, history = ? WHERE id = ? AND owner = 'owner' AND fence = 1",
  ...[step, data, o.now, o.history.repeat(step), id],
];
const endSaga = (o, id) => [
  "UPDATE kerf_sagas SET state = 'done', data = '{}', next_attempt_at = ?, owner = NULL, updated_at = ?, history = ? WHERE id = ?",
  ...[o.now, o.now, o.history.repeat(4), id],
];
const answerOf = (key) => ['SELECT fingerprint, output FROM kerf_commands WHERE key = ?', key];
const answer = (o, key) => [
  'INSERT INTO kerf_commands VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  ...[key, o.fingerprint, o.text, o.now],
];
const publish = (o, recipient) => [
  "INSERT INTO kerf_outbox VALUES (NULL, ?, 'orders.confirmed.v1', ?, ?, ?, 'pending', ?, NULL)",
  ...[o.event, recipient, o.id, o.envelope, o.now],
];
const settle = (o) => [
  "UPDATE kerf_outbox SET state = 'delivered', settled_at = ? WHERE key = ? AND state = 'pending'",
  o.now,
  o.id,
];
const take = (o, event) => ['INSERT INTO kerf_inbox VALUES (?, ?) ON CONFLICT DO NOTHING', event, o.now];
const held = (o) => ["SELECT seq FROM kerf_held WHERE key = ? AND state IN ('pending', 'failed') LIMIT 1", o.id];

/** For each database: its tables, and the statements of an order, commit by commit. */
const databases = {
  orders: [
    `${sagas}${outbox}
    CREATE TABLE orders (id TEXT PRIMARY KEY, member_id TEXT, status TEXT, lines TEXT, amount INTEGER, key TEXT, created_at TEXT);
    CREATE UNIQUE INDEX by_key ON orders (member_id, key);
    CREATE INDEX by_member ON orders (member_id, id);
    CREATE INDEX waiting_by_key ON kerf_outbox (key);`,
    (o) => [
      [
        ['SELECT * FROM orders WHERE member_id = ? AND key = ?', o.member, o.key],
        ["INSERT INTO orders VALUES (?, ?, 'pending', ?, 22000, ?, ?)", o.id, o.member, o.text, o.key, o.time],
        beginSaga(o, o.id, o.text),
      ],
      [1, 2, 3].map((step) => stepSaga(o, o.id, o.text, step)),
      [
        ['SELECT * FROM orders WHERE id = ?', o.id],
        ["UPDATE orders SET status = 'confirmed' WHERE id = ?", o.id],
        publish(o, 'notifications'),
        publish(o, 'recommendations'),
        endSaga(o, o.id),
      ],
      [settle(o)],
    ],
  ],
  inventory: [
    `${answers}
    CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER CHECK (available >= 0));
    INSERT INTO stock VALUES ('WAX', 100000000);
    CREATE TABLE reservations (order_id TEXT PRIMARY KEY, state TEXT, lines TEXT, expires_at INTEGER);`,
    (o) => [
      [
        answerOf(`${o.id}/reserve`),
        ['SELECT * FROM reservations WHERE order_id = ?', o.id],
        ["UPDATE stock SET available = available - 1 WHERE sku = 'WAX' AND available >= 1"],
        ["INSERT INTO reservations VALUES (?, 'held', ?, ?)", o.id, o.text, o.now],
        answer(o, `${o.id}/reserve`),
      ],
      [
        answerOf(`${o.id}/take`),
        ['SELECT * FROM reservations WHERE order_id = ?', o.id],
        ["UPDATE reservations SET state = 'taken' WHERE order_id = ?", o.id],
        answer(o, `${o.id}/take`),
      ],
    ],
  ],
  payments: [
    `${answers}
    CREATE TABLE payments (id TEXT PRIMARY KEY, order_id TEXT UNIQUE, member_id TEXT, amount INTEGER, status TEXT, updated_at TEXT);`,
    (o) => [
      [
        answerOf(`${o.id}/authorize`),
        ['SELECT * FROM payments WHERE order_id = ?', o.id],
        ["INSERT INTO payments VALUES (?, ?, ?, 22000, 'authorizing', ?)", o.id, o.id, o.member, o.time],
      ],
      [
        ["UPDATE payments SET status = 'authorized', updated_at = ? WHERE id = ?", o.time, o.id],
        answer(o, `${o.id}/authorize`),
      ],
      [
        answerOf(`${o.id}/capture`),
        ['SELECT * FROM payments WHERE order_id = ?', o.id],
        ["UPDATE payments SET status = 'captured', updated_at = ? WHERE id = ?", o.time, o.id],
        answer(o, `${o.id}/capture`),
      ],
    ],
  ],
  notifications: [
    `${sagas}${inbox}
    CREATE TABLE messages (id TEXT PRIMARY KEY, member_id TEXT, subject TEXT, status TEXT, at TEXT);
    CREATE INDEX by_member ON messages (member_id, id);`,
    (o) => [
      [
        take(o, o.event),
        held(o),
        ["INSERT INTO messages VALUES (?, ?, 'Order is confirmed', 'queued', ?)", o.id, o.member, o.time],
        beginSaga(o, o.id, o.text),
      ],
      [endSaga(o, o.id)],
      [take(o, o.sent), held(o), ["UPDATE messages SET status = 'sent' WHERE id = ?", o.id]],
    ],
  ],
  mail: [
    `${sagas}${answers}${outbox}
    CREATE TABLE mails (message_id TEXT PRIMARY KEY, member_id TEXT, text TEXT, status TEXT, at TEXT);
    CREATE TABLE mailbox (message_id TEXT PRIMARY KEY, text TEXT, at TEXT);
    CREATE INDEX waiting_by_key ON kerf_outbox (key);`,
    (o) => [
      [
        answerOf(`${o.id}/send`),
        ["INSERT INTO mails VALUES (?, ?, ?, 'queued', ?)", o.id, o.member, o.text, o.time],
        beginSaga(o, o.id, o.text),
        answer(o, `${o.id}/send`),
      ],
      [
        ['INSERT INTO mailbox VALUES (?, ?, ?)', o.id, o.text, o.time],
        ["UPDATE mails SET status = 'sent' WHERE message_id = ?", o.id],
        publish(o, 'notifications'),
        endSaga(o, o.id),
      ],
      [settle(o)],
    ],
  ],
  recommendations: [inbox, (o) => [[take(o, o.event), held(o)]]],
};

/** Opens every database. `commits` returns the statements of an order, for each of its commits; `commit` runs statements in one transaction. */
export function openDatabases() {
  return Object.fromEntries(
    Object.entries(databases).map(([name, [schema, commits]]) => [name, open(name, schema, commits)]),
  );
}

function open(name, schema, commits) {
  const file = `${process.env.SHOP_FILE}-${name}`;
  const db = new Sqlite(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('wal_autocheckpoint = 4000');
  db.exec(schema);
  const prepared = new Map();
  const run = ([source, ...values]) => {
    if (!prepared.has(source)) prepared.set(source, db.prepare(source));
    const statement = prepared.get(source);
    return statement.reader ? statement.all(...values) : statement.run(...values);
  };
  const commit = db.transaction((statements) => {
    for (const statement of statements) run(statement);
  }).immediate;
  commit([]);
  const checkpoint = () => void db.pragma('wal_checkpoint(TRUNCATE)');
  return { commit, commits, checkpoint, wal: openSync(`${file}-wal`, 'r'), close: () => db.close() };
}

/** Takes orders. `place` resolves when the rows that the member relies on are on disk. */
export function serveOrders(place, opened) {
  const app = new Hono();
  app.post('/orders', async (c) => {
    const member = await memberOf(c.req.header('authorization'));
    const key = keyHeader.parse(c.req.header('idempotency-key'));
    const { lines } = checkoutBody.parse(await c.req.json());
    const [id, now, text] = [randomUUID(), Date.now(), JSON.stringify({ lines, member, more: 'x'.repeat(200) })];
    const time = new Date(now).toISOString();
    const order = { id, member, key, now, time, text, event: randomUUID(), sent: randomUUID() };
    const history = '{"step":"reserve stock","what":"done","at":1700000000000},';
    await place({ ...order, fingerprint: id, envelope: text + text, history });
    return c.json({ id, status: 'confirmed', lines, createdAt: time }, 201);
  });
  const members = Array.from({ length: Number(process.env.SHOP_MEMBERS) }, () => randomUUID());
  const close = () => {
    for (const each of Object.values(opened)) each.close();
  };
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => void ready(port, { members, close }));
}
