import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, type Kerf } from '../../harness/kerf.ts';
import { type Message, type Page, Shop } from '../../harness/shop.ts';
import { Scene } from '../scene.ts';
import { FakeMailServer } from './fake-mail-server.ts';

const email = 'reader@example.com';
let server: FakeMailServer;
let port: number;

beforeEach(async () => {
  server = new FakeMailServer();
  port = await server.open();
});

afterEach(() => server.close());

it('sends a mail again with the same Message-ID after a lost answer', async () => {
  server.dropAfterTaking = 2;
  const { shop } = await begin();
  await status(shop, 'sent');
  const ids = server.received.map(({ messageId }) => messageId);
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
});

it('marks a mail as failed after a permanent refusal of the server', async () => {
  server.refusals.set(email, '550 there is no such mailbox');
  const { shop } = await begin();
  await status(shop, 'failed');
  expect(server.received).toEqual([]);
});

it('retries a mail after a temporary refusal of the server', async () => {
  server.refusals.set(email, '451 try later');
  const { shop } = await begin();
  await status(shop, 'queued');
  server.refusals.clear();
  await status(shop, 'sent');
});

it('keeps mail for an unavailable server, also across a crash', async () => {
  await server.close();
  const { scene, kerf, shop } = await begin();
  await status(shop, 'queued');
  await kerf.kill();
  await server.open(port);
  const after = await scene.start({ env: settings() });
  await status(await new Shop(after.url).signIn(email), 'sent');
  expect(server.received.map(({ to }) => to)).toEqual([email]);
});

it('keeps mail in the retry queue while its own password is wrong', async () => {
  server.password = 'another';
  const { shop } = await begin();
  await status(shop, 'queued');
  await eventually(async () => server.attempts > 1, 'another attempt');
  await status(shop, 'queued');
  server.password = 'secret';
  await status(shop, 'sent');
});

async function begin(): Promise<{ scene: Scene; kerf: Kerf; shop: Shop }> {
  const scene = new Scene();
  const kerf = await scene.start({ env: settings() });
  return { scene, kerf, shop: await new Shop(kerf.url).join({ email }) };
}

function settings() {
  return { MAIL_SMTP_URL: `smtp://kerf:secret@127.0.0.1:${port}`, MAIL_FROM: 'Kerf <shop@example.com>' };
}

/** Waits until the welcome is shown with this status. */
async function status(shop: Shop, wanted: Message['status']): Promise<void> {
  await eventually(async () => {
    const { body } = await shop.get<Page<Message>>('/messages');
    return body.items.some((message) => message.channel === 'mail' && message.status === wanted);
  }, `the welcome to be ${wanted}`);
}
