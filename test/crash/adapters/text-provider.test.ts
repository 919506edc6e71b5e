import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../../harness/kerf.ts';
import { type Message, type Page, Shop } from '../../harness/shop.ts';
import { Scene } from '../scene.ts';
import { FakeProvider } from './fake-provider.ts';

const phone = '+82 10 1234 5678';
let provider: FakeProvider;
let settings: Record<string, string>;

beforeEach(async () => {
  provider = new FakeProvider();
  settings = { SMS_PROVIDER_URL: await provider.open() };
});

afterEach(() => provider.close());

it('repeats a message with the same Idempotency-Key until the provider answers', async () => {
  provider.fate = (_, times) => (['lost', 500, 429] as const)[times - 1] ?? 202;
  const shop = await join();
  await status(shop, 'sent');
  expect(provider.asked).toHaveLength(4);
  expect(provider.effects).toEqual(['/messages']);
  expect(provider.asked[0]!.body.to).toBe(phone);
});

it('marks a message as failed after a permanent refusal of the provider', async () => {
  provider.fate = () => 422;
  const shop = await join();
  await status(shop, 'failed');
  expect(provider.asked).toHaveLength(1);
});

async function join(): Promise<Shop> {
  const kerf = await new Scene(settings).start();
  return new Shop(kerf.url).join({ phone });
}

async function status(shop: Shop, wanted: Message['status']): Promise<void> {
  await eventually(async () => {
    const { body } = await shop.get<Page<Message>>('/messages');
    return body.items.some((message) => message.channel === 'sms' && message.status === wanted);
  }, `the text message to be ${wanted}`);
}
