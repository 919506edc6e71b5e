import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import { textById } from './internal/store.ts';
import sms from './module.ts';

it('sends a message once, however often and under whatever key it is asked', async () => {
  const phones = await testModule(sms);
  const [messageId, memberId] = [newId(), newId()];
  for (const idempotencyKey of ['one', 'one', 'two'])
    await phones.send({ messageId, memberId, to: '+82 10 1234 5678', text: 'Hello' }, { idempotencyKey });
  await phones.idle();
  expect(await textById(phones.database, messageId)).toMatchObject({ status: 'sent' });
  expect(phones.published(phones.events.sent)).toEqual([{ messageId, memberId, text: 'Hello' }]);
});
