const stockAtFirst = (sku: string) => (sku === 'LIMITED-1' ? 5 : 100_000);

export interface OrderRow {
  id: string;
  status: string;
  key: string;
  member_id: string;
  amount: number;
  lines: string;
}
interface MemberRow {
  id: string;
  email: string;
  phone: string | null;
}
type Delivered = { recipient: string; about: string };

export interface Books {
  orders: OrderRow[];
  members: MemberRow[];
  payments: { order_id: string; status: string; amount: number }[];
  reservations: { order_id: string; state: string }[];
  stock: { sku: string; available: number }[];
  mails: Delivered[];
  texts: Delivered[];
  messages: { member_id: string; channel: string; subject: string; status: string }[];
}

/** Queries the data of a module, wherever the data is. */
export type Ask = <T>(module: string, query: string) => T[];

export function readBooks(ask: Ask): Books {
  return {
    orders: ask('orders', 'select * from orders'),
    members: ask('members', 'select id, email, phone from members'),
    payments: ask('payments', 'select order_id, status, amount from payments'),
    reservations: ask('inventory', 'select order_id, state from reservations'),
    stock: ask('inventory', 'select sku, available from stock'),
    mails: ask('mail', 'select recipient, subject as about from mailbox'),
    texts: ask('sms', 'select recipient, text as about from development_outbox'),
    messages: ask('notifications', 'select member_id, channel, subject, status from messages'),
  };
}

/**
 * Compares the records of the modules with one another. Returns every disagreement in words. The list is empty when the books
 * agree and nothing is in flight.
 */
export function disagreements(books: Books): string[] {
  return [
    ...books.orders.flatMap((order) => [...paid(books, order), ...reserved(books, order)]),
    ...books.stock.flatMap((level) => inStock(books, level)),
    ...books.members.flatMap((member) => written(books, member)),
  ];
}

interface Open {
  type: string;
  state: string;
  last_error: string | null;
}

/** Returns undelivered events, events in the retry queue, and unfinished sagas, in words. */
export function unfinished(ask: Ask, module: string): string[] {
  const events = ask<Open>(module, "select type, state, last_error from kerf_outbox where state <> 'delivered'");
  const retryQueue = ask<Open>(module, "select type, state, last_error from kerf_held where state <> 'delivered'");
  const sagas = ask<Omit<Open, 'type'> & { id: string }>(
    module,
    "select id, state, last_error from kerf_sagas where state not in ('done', 'compensated')",
  );
  return [
    ...events.map(({ type, state, last_error: why }) => `${module}: event ${type} is ${state} (${why})`),
    ...retryQueue.map(
      ({ type, state, last_error: why }) => `${module}: event ${type} is in the retry queue, ${state} (${why})`,
    ),
    ...sagas.map(({ id, state, last_error: why }) => `${module}: saga ${id} is ${state} (${why})`),
  ];
}

function paid({ payments }: Books, { id, status, amount }: OrderRow): string[] {
  const own = payments.filter((payment) => payment.order_id === id);
  const meant = { confirmed: 'captured', cancelled: 'refunded' }[status];
  const well = meant
    ? own.length === 1 && own[0]!.status === meant && own[0]!.amount === amount
    : own.every((payment) => ['voided', 'declined'].includes(payment.status));
  return well ? [] : [`order ${id} is ${status} and its payments are [${own.map((each) => each.status)}]`];
}

function reserved({ reservations }: Books, { id, status }: OrderRow): string[] {
  const states = reservations.filter((each) => each.order_id === id).map(({ state }) => state);
  const well =
    status === 'confirmed'
      ? states.join() === 'taken'
      : states.every((state) => state === 'released' || state === 'returned');
  return well ? [] : [`order ${id} is ${status} and its reservations are [${states}]`];
}

function inStock({ orders }: Books, { sku, available }: { sku: string; available: number }): string[] {
  const sold = orders
    .filter(({ status }) => status === 'confirmed')
    .flatMap(({ lines }) => JSON.parse(lines) as { sku: string; quantity: number }[])
    .filter((line) => line.sku === sku)
    .reduce((sum, { quantity }) => sum + quantity, 0);
  const expected = stockAtFirst(sku) - sold;
  return available === expected ? [] : [`${available} of ${sku} are left instead of ${expected}`];
}

/**
 * Checks the messages of a member: exactly one mail for the sign-up and one for each order that was ever confirmed. A member with a phone
 * gets as many text messages.
 */
function written({ orders, mails, texts, messages }: Books, { id, email, phone }: MemberRow): string[] {
  const subjects = orders
    .filter((order) => order.member_id === id && ['confirmed', 'cancelled'].includes(order.status))
    .map((order) => `Order ${order.id} is confirmed`);
  const to = (all: Delivered[], recipient: string | null) =>
    all.filter((each) => each.recipient === recipient).map(({ about }) => about);
  const listed = (channel: string) =>
    messages
      .filter((each) => each.member_id === id && each.channel === channel && each.status === 'sent')
      .map(({ subject }) => subject);
  const wanted = ['Welcome to Kerf', ...subjects];
  return [
    ...differences(`mail to ${email}`, to(mails, email), wanted),
    ...differences(`listed mail to ${email}`, listed('mail'), wanted),
    ...differences(`text to ${email}`, to(texts, phone).map(welcomeOnly), phone ? wanted : []),
    ...differences(`listed text to ${email}`, listed('sms').map(welcomeOnly), phone ? wanted : []),
  ];
}

/** Shortens a welcome to its common part. Members and notifications word the welcome differently. */
function welcomeOnly(text: string): string {
  return text.startsWith('Welcome to Kerf') ? 'Welcome to Kerf' : text;
}

function differences(what: string, found: string[], wanted: string[]): string[] {
  const rest = [...wanted];
  const extra = found.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return [
    ...rest.map((each) => `${what}: "${each}" is missing`),
    ...extra.map((each) => `${what}: "${each}" too many`),
  ];
}
