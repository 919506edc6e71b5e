import { expect, it } from 'vitest';
import { deep } from '../harness/deep.ts';
import { eventually, type Kerf, type ModuleName, placements, type TestTopology } from '../harness/kerf.ts';
import { type Message, type Page, Shop } from '../harness/shop.ts';
import { killModule, Scene } from './scene.ts';

const channels: ModuleName[] = ['mail', 'sms', 'notifications'];
const wirings = ['events', 'router', 'orchestrated'];
const shapes: TestTopology[] = [
  { name: 'in one process', out: [] },
  { name: 'with the channels out', out: channels },
];
const [first, ...others] = wirings.flatMap((wiring) => shapes.map((shape) => ({ wiring, shape }))).reverse();

async function writesOnce({ wiring, shape }: { wiring: string; shape: TestTopology }): Promise<void> {
  const scene = new Scene({ SIGN_UP_WIRING: wiring, ...placements(shape) });
  let kerf = await scene.start();
  const people = Array.from({ length: 16 }, (_, index) => person(index));
  let joined = 0;
  const answered = new Set<Person>();
  const told = (member: Person) => {
    answered.add(member);
    joined += 1;
    const victim = shape.out[joined / 2 - 1];
    if (joined % 2 === 0 && victim) void killModule(kerf, victim).catch(ignore);
    if (joined === 9) kerf.process.kill('SIGKILL');
  };
  await Promise.all(people.map((member) => signUp(kerf, member).then(() => told(member), ignore)));
  expect(answered.size).toBeGreaterThanOrEqual(9);
  await kerf.exited();

  kerf = await scene.start();
  await Promise.all(people.map((member) => eventually(() => signUp(kerf, member), `sign-up of ${member.email}`)));
  for (const victim of shape.out) await killModule(kerf, victim);
  await Promise.all(people.map((member) => buy(kerf, member)));
  await scene.settles();
  await Promise.all(people.map((member) => seesItsMessages(kerf, member)));
  await scene.endsWell(kerf);
}

const title = 'sends each message to a member exactly once, sign-up by $wiring, $shape.name';
it.each([first!])(title, writesOnce);
it.each(others)(title, deep, writesOnce);

interface Person {
  email: string;
  phone?: string;
}

function person(index: number): Person {
  const email = `member-${index}@example.com`;
  return index % 2 ? { email } : { email, phone: `+82 10 0000 ${1000 + index}` };
}

/** Signs a member up. A 409 counts as success: an earlier attempt already signed the member up. */
async function signUp({ url }: Kerf, member: Person): Promise<boolean> {
  const answer = await new Shop(url).post('/members', { ...member, name: 'Member', password: 'correct horse' });
  if (answer.status === 503 || answer.status === 504) return false;
  expect([201, 409]).toContain(answer.status);
  return true;
}

async function buy({ url }: Kerf, { email }: Person): Promise<void> {
  const shop = await new Shop(url).signIn(email, undefined, 8);
  expect((await shop.order('OIL')).status).toBe(201);
}

async function seesItsMessages({ url }: Kerf, { email, phone }: Person): Promise<void> {
  const shop = await new Shop(url).signIn(email, undefined, 8);
  const { body } = await shop.get<Page<Message>>('/messages');
  const seen = body.items.map(({ channel, status }) => `${channel} ${status}`).sort();
  expect(seen).toEqual(['mail sent', 'mail sent', ...(phone ? ['sms sent', 'sms sent'] : [])]);
}

function ignore(): void {}
