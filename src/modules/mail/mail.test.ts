import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import { mailById } from './internal/store.ts';
import mail from './module.ts';

const letter = () => ({
  ...{ messageId: newId(), memberId: newId() },
  ...{ to: 'ann@example.com', subject: 'Hello', text: 'Hello Ann' },
});

it('sends a mail once, however often and under whatever key it is asked', async () => {
  const post = await testModule(mail);
  const { messageId, memberId, ...rest } = letter();
  for (const idempotencyKey of ['one', 'one', 'two'])
    await post.send({ messageId, memberId, ...rest }, { idempotencyKey });
  await post.idle();
  expect(await mailById(post.database, messageId)).toMatchObject({ status: 'sent', recipient: 'ann@example.com' });
  expect(post.published(post.events.sent)).toEqual([{ messageId, memberId, subject: 'Hello' }]);
});

it('refuses a subject of two lines', async () => {
  const post = await testModule(mail);
  const forged = post.send({ ...letter(), subject: 'Hello\r\nBcc: everybody@example.com' });
  await expect(forged).rejects.toMatchObject({ code: 'invalid-input', message: 'subject: must be one line' });
});
