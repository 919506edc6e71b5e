import { instant } from 'kerf/context';
import { handle, type ModuleUnit } from 'kerf/module';
import { type Saga, step } from 'kerf/saga';
import { sms } from '../contract.ts';
import type { httpProvider, TextMessage } from './provider.ts';
import { addText, markText, putIntoOutbox, textById } from './store.ts';

/** Retries until the provider accepts the message, or refuses it for good. Without a provider the message goes to the outbox table. */
export function sending(deliver: ReturnType<typeof httpProvider> | undefined): Saga<TextMessage, ModuleUnit> {
  const next = step<TextMessage, ModuleUnit>;
  const handOver = deliver
    ? next('hand to the provider').run(deliver)
    : // The unit that marks the message as sent writes it to the outbox, so that it is there once.
      next('put into the outbox').write((unit, { messageId, to, text }) =>
        putIntoOutbox(unit, { messageId, recipient: to, text, at: instant(unit.clock) }),
      );
  return {
    name: 'sending',
    version: 1,
    data: sms.operations.send.input,
    deadlineMs: 24 * 60 * 60_000,
    steps: [
      handOver,
      next('mark as sent').write(async (unit, { messageId, memberId, text }) => {
        await markText(unit, messageId, { status: 'sent', at: instant(unit.clock) });
        await unit.publish(sms.events.sent, { messageId, memberId, text });
      }),
    ],
    async compensated(unit, { messageId, memberId, text }, reason) {
      await markText(unit, messageId, { status: 'failed', at: instant(unit.clock) });
      await unit.publish(sms.events.failed, { messageId, memberId, text, reason });
    },
  };
}

/** Accepts a message. A saga of its own sends it. */
export function send(sending: Saga<TextMessage, ModuleUnit>) {
  return handle(sms.operations.send, async (message, unit) => {
    const { messageId, memberId, to, text } = message;
    if (await textById(unit, messageId)) return { messageId };
    await addText(unit, { messageId, memberId, recipient: to, text, status: 'queued', at: instant(unit.clock) });
    await unit.begin(sending, messageId, message);
    return { messageId };
  });
}
