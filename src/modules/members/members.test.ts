import { setTrap } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { afterEach, expect, it } from 'vitest';
import members from './module.ts';

const ann = { email: 'Ann@example.com', password: 'correct horse', name: 'Ann' };

afterEach(() => setTrap(undefined));

it('signs up a member who can then sign in, in any case of the address', async () => {
  const club = await testModule(members);
  const { id } = await club.signUp(ann);
  expect(await club.signIn({ ...credentials(), email: 'ANN@example.com' })).toEqual({ id });
  expect(await club.displayName({ id })).toEqual({ name: 'Ann' });
  const wrong = club.signIn({ ...credentials(), password: 'battery staple' });
  await expect(wrong).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('signs up an address once, and its member once for a key, also at the same time', async () => {
  const club = await testModule(members);
  const signUp = (name = 'Ann') => club.signUp({ ...ann, name }, { idempotencyKey: 'one' });
  const [first, second] = await Promise.all([signUp(), signUp()]);
  expect(second).toEqual(first);
  await expect(signUp('Bob')).rejects.toMatchObject({ code: 'invalid-input' });
  await expect(club.signUp(ann)).rejects.toMatchObject({ code: 'email-taken' });
  expect(club.published(club.events.registered)).toMatchObject([{ memberId: first.id, wiring: 'events' }]);
});

it('signs up one member when its process dies before the answer', async () => {
  const club = await testModule(members);
  const signUp = () => club.signUp(ann, { idempotencyKey: 'one' });
  setTrap((point) => {
    if (point.endsWith('/signUp/committed')) throw new Error('dead');
  });
  await expect(signUp()).rejects.toMatchObject({ code: 'internal' });
  setTrap(undefined);
  const { id } = await signUp();
  expect(await club.signIn(credentials())).toEqual({ id });
});

it('has notifications welcome a new member, with the wiring that calls it', async () => {
  const welcomed: string[] = [];
  const club = await testModule(members, {
    settings: { SIGN_UP_WIRING: 'router' },
    stubs: {
      notifications: {
        welcome({ email }) {
          welcomed.push(email);
          return {};
        },
      },
    },
  });
  await club.signUp(ann);
  expect(welcomed).toEqual(['ann@example.com']);
});

it('welcomes a new member by mail, and by text message where there is a phone, with the wiring that does it itself', async () => {
  const sent: string[] = [];
  const send = ({ messageId, to }: { messageId: string; to: string }) => {
    sent.push(to);
    return { messageId };
  };
  const club = await testModule(members, {
    settings: { SIGN_UP_WIRING: 'orchestrated' },
    stubs: { mail: { send }, sms: { send } },
  });
  await club.signUp({ ...ann, phone: '+82 10 1234 5678' });
  await club.signUp({ ...ann, email: 'bob@example.com' });
  expect(sent).toEqual(['ann@example.com', '+82 10 1234 5678', 'bob@example.com']);
});

function credentials() {
  const { email, password } = ann;
  return { email, password };
}
