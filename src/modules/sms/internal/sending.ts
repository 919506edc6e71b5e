import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { type Saga, step } from '../../../shared/kernel/saga/index.ts';
import { sms } from '../contract.ts';
import { putIntoOutbox } from './provider/development-outbox.ts';
import type { TextProvider } from './provider/text-provider.ts';
import { type TextStatus, tables } from './tables.ts';

const data = z.object({ messageId: z.string(), memberId: z.string(), to: z.string(), text: z.string() });
export type TextSending = z.infer<typeof data>;

/** Retries until the provider accepts the message, or refuses it for good. Without a provider the message goes to the outbox table. */
export function sending(provider: TextProvider | undefined, clock: Clock): Saga<TextSending, ModuleUnit> {
  const next = (name: string) => step<TextSending, ModuleUnit>(name);
  const handOver = provider
    ? next('hand to the provider').run((message) => provider.deliver(message))
    : next('put into the outbox').write((unit, message) => putIntoOutbox(unit, message, instant(clock)));
  return {
    name: 'sending',
    version: 1,
    data,
    deadlineMs: 24 * 60 * 60_000,
    steps: [
      handOver,
      next('mark as sent').write(async (unit, { messageId, memberId, text }) => {
        await mark(unit, messageId, 'sent', instant(clock));
        await unit.publish(sms.events.sent, { messageId, memberId, text });
      }),
    ],
    async compensated(unit, { messageId, memberId, text }, reason) {
      await mark(unit, messageId, 'failed', instant(clock));
      await unit.publish(sms.events.failed, { messageId, memberId, text, reason });
    },
  };
}

async function mark(unit: ModuleUnit, messageId: string, status: TextStatus, at: string): Promise<void> {
  const { texts } = tables(unit);
  await unit.db.update(texts).set({ status, at }).where(eq(texts.messageId, messageId));
}
