import { eventually } from '../../harness/kerf.ts';
import type { Message, Order, Page, Product, Summary } from '../../harness/shop.ts';
import type { Player } from './player.ts';
import { goods, type Person, people } from './steps.ts';
import type { World } from './world.ts';

/** Values that all histories share. A history shows them as the change since its beginning. */
export interface Measures {
  stock: Record<string, number>;
  /** Number of orders with both products, by the two SKUs. */
  together: Record<string, number>;
}

export async function measure(world: World): Promise<Measures> {
  const products = await eventually(async () => {
    const { body } = await world.send<Page<Product>>({ method: 'GET', path: '/products?limit=100' });
    return body.items.every(({ available }) => available !== null) && body.items;
  }, 'the stock of every product');
  const stock = Object.fromEntries(products.map(({ sku, available }) => [sku, available!]));
  const pairs = await Promise.all(
    goods.map(async (sku) => {
      const path = `/recommendations?sku=${sku}&limit=100`;
      const { body } = await world.send<{ items: { sku: string; score: number }[] }>({ method: 'GET', path });
      return body.items.map((other) => [`${sku} and ${other.sku}`, other.score] as const);
    }),
  );
  return { stock, together: Object.fromEntries(pairs.flat()) };
}

/** The visible state in parts, so that a report shows only the different part. */
export type Shown = Record<string, unknown>;

export async function show(player: Player, before: Measures): Promise<Shown> {
  const after = await measure(player.world);
  const shown: Shown = {
    'the changes of the stock': changes(before.stock, after.stock),
    'what was bought together': changes(before.together, after.together),
    'the posts': await showPosts(player),
  };
  for (const who of people) if (player.tokens.has(who)) shown[`what ${who} sees`] = await showMember(player, who);
  return shown;
}

function changes(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const differences = names.map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)] as const);
  return Object.fromEntries(differences.filter(([, change]) => change !== 0));
}

async function showPosts(player: Player): Promise<unknown> {
  const { body } = await player.send<Page<{ id: string }>>(undefined, { method: 'GET', path: '/posts?limit=100' });
  const threads = player.posts.map(async (id) => {
    return (await player.send(undefined, { method: 'GET', path: `/posts/${id}` })).body;
  });
  return { list: body.items.filter(({ id }) => player.posts.includes(id)), threads: await Promise.all(threads) };
}

async function showMember(player: Player, who: Person): Promise<unknown> {
  const read = async <T>(path: string) => (await player.send<T>(who, { method: 'GET', path })).body;
  const messages = await read<Page<Message>>('/messages?limit=100');
  const summaries = await Promise.all(player.orders.map(({ id }) => showSummary(player, who, id)));
  const payments = summaries.flatMap((summary) =>
    'payment' in summary && summary.payment ? [summary.payment.id] : [],
  );
  return {
    profile: await read('/members/me'),
    orders: await read<Page<Order>>('/orders?limit=100'),
    messages: inWords(messages.items),
    summaries,
    payments: await Promise.all(payments.map((id) => read(`/payments/${id}`))),
  };
}

/** Reads the summary of an order, also of another member's order: the comparison includes refusals. */
async function showSummary(player: Player, who: Person, id: string): Promise<Partial<Summary>> {
  const summary = await eventually(async () => {
    const { body } = await player.send<Partial<Summary>>(who, { method: 'GET', path: `/orders/${id}/summary` });
    return (body.missing ?? []).length === 0 && body;
  }, 'every part of a summary');
  const { recommendations, messages, ...rest } = summary;
  return { ...rest, ...(messages && { messages: inWords(messages) as never }) };
}

/** Returns the messages in words, sorted, because the order of a mail and a text message is not guaranteed. */
function inWords(messages: readonly Message[]): string[] {
  return messages.map(({ channel, status, subject }) => `${subject}: ${channel}, ${status}`).sort();
}
