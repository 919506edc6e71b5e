// The data of both applications: one SQLite file with the tables of Kerf's modules, and one durable transaction for each order.
import { randomUUID } from 'node:crypto';
import Sqlite from 'better-sqlite3';

const schema = `
  CREATE TABLE members (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
  CREATE TABLE products (
    sku TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL
  );
  CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0));
  CREATE TABLE orders (
    id TEXT PRIMARY KEY, member_id TEXT NOT NULL, status TEXT NOT NULL, lines TEXT NOT NULL, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, created_at TEXT NOT NULL
  );
  CREATE UNIQUE INDEX orders_by_key ON orders (member_id, key);
  CREATE INDEX orders_by_member ON orders (member_id, id);
  CREATE TABLE reservations (order_id TEXT PRIMARY KEY, state TEXT NOT NULL, lines TEXT NOT NULL, expires_at INTEGER NOT NULL);
  CREATE TABLE payments (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, member_id TEXT NOT NULL, amount INTEGER NOT NULL,
    currency TEXT NOT NULL, status TEXT NOT NULL, updated_at TEXT NOT NULL
  );
  CREATE TABLE messages (
    id TEXT PRIMARY KEY, member_id TEXT NOT NULL, channel TEXT NOT NULL, subject TEXT NOT NULL, order_id TEXT,
    status TEXT NOT NULL, at TEXT NOT NULL
  );
  CREATE INDEX messages_by_member ON messages (member_id, id);
  CREATE TABLE mails (
    message_id TEXT PRIMARY KEY, member_id TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT NOT NULL,
    text TEXT NOT NULL, status TEXT NOT NULL, at TEXT NOT NULL
  );
  CREATE TABLE mailbox (message_id TEXT PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL);
`;

/** Opens the shop's data in `file`, with the product of the load and `count` members. */
export function openStore(file, count) {
  const db = new Sqlite(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.exec(schema);
  db.prepare('INSERT INTO products VALUES (?, ?, ?, ?, ?)').run(
    ...['WAX', 'Beeswax polish', 'With carnauba, 200 g', 22_000, 'KRW'],
  );
  db.prepare('INSERT INTO stock VALUES (?, ?)').run('WAX', 100_000_000);
  const addMember = db.prepare('INSERT INTO members VALUES (?, ?, ?)');
  const members = Array.from({ length: count }, (_, n) => {
    const member = { id: randomUUID(), email: `member-${n}@example.com` };
    addMember.run(member.id, member.email, 'Member');
    return member.id;
  });
  return { members, ...queries(db), place: placing(db), close: () => db.close() };
}

const toProduct = ({ sku, name, description, amount, currency, available }) => ({
  ...{ sku, name, description, available },
  price: { amount, currency },
});

const toOrder = ({ id, status, lines, amount, currency, created_at: createdAt }) => ({
  ...{ id, status, createdAt },
  lines: JSON.parse(lines),
  total: { amount, currency },
});

function queries(db) {
  const product = db.prepare('SELECT * FROM products JOIN stock USING (sku) WHERE sku = ?');
  const orders = db.prepare('SELECT * FROM orders WHERE member_id = ? AND id < ? ORDER BY id DESC LIMIT ?');
  return {
    product(sku) {
      const row = product.get(sku);
      return row && toProduct(row);
    },
    orders(member, limit, before = '~') {
      const rows = orders.all(member, before, limit + 1);
      const items = rows.slice(0, limit).map(toOrder);
      return { items, next: rows.length > limit ? items.at(-1).id : null };
    },
  };
}

/** Takes the stock and the payment, confirms, and writes the mail. Returns the order, or the code of a refusal. */
function placing(db) {
  const earlier = db.prepare('SELECT * FROM orders WHERE member_id = ? AND key = ?');
  const priceOf = db.prepare('SELECT amount, currency FROM products WHERE sku = ?');
  const take = db.prepare('UPDATE stock SET available = available - ? WHERE sku = ? AND available >= ?');
  const member = db.prepare('SELECT email FROM members WHERE id = ?');
  const insert = (table, columns) => db.prepare(`INSERT INTO ${table} VALUES (${Array(columns).fill('?')})`);
  const [addOrder, addReservation, addPayment] = [
    insert('orders', 9),
    insert('reservations', 4),
    insert('payments', 7),
  ];
  const [addMessage, addMail, addToMailbox] = [insert('messages', 7), insert('mails', 7), insert('mailbox', 5)];

  const place = db.transaction(({ id, memberId, lines, key, fingerprint, now }) => {
    const known = earlier.get(memberId, key);
    if (known) return known.fingerprint === fingerprint ? toOrder(known) : { code: 'idempotency-key-reused' };
    const priced = lines.map((line) => ({ ...line, price: priceOf.get(line.sku) }));
    for (const { sku, quantity } of lines) if (take.run(quantity, sku, quantity).changes === 0) throw new OutOfStock();
    const amount = priced.reduce((sum, { price, quantity }) => sum + price.amount * quantity, 0);
    const { currency } = priced[0].price;
    const text = JSON.stringify(priced);
    addOrder.run(id, memberId, 'confirmed', text, amount, currency, key, fingerprint, now);
    addReservation.run(id, 'taken', JSON.stringify(lines), Date.parse(now) + 900_000);
    addPayment.run(randomUUID(), id, memberId, amount, currency, 'captured', now);
    const { email } = member.get(memberId);
    const [message, subject] = [randomUUID(), `Order ${id} is confirmed`];
    addMessage.run(message, memberId, 'mail', subject, id, 'sent', now);
    addMail.run(message, memberId, email, subject, `${subject}. Thank you.`, 'sent', now);
    addToMailbox.run(message, email, subject, `${subject}. Thank you.`, now);
    return { id, status: 'confirmed', lines: priced, total: { amount, currency }, createdAt: now };
  }).immediate;

  return (wish) => {
    try {
      return place(wish);
    } catch (error) {
      if (error instanceof OutOfStock) return { code: 'out-of-stock' };
      throw error;
    }
  };
}

class OutOfStock extends Error {}
