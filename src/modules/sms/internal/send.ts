import { eq } from 'drizzle-orm';
import { type Clock, instant } from '../../../shared/kernel/context/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import type { Saga } from '../../../shared/kernel/saga/index.ts';
import type { TextSending } from './sending.ts';
import { tables } from './tables.ts';

/** Accepts a message. A saga of its own sends it. */
export function send(sending: Saga<TextSending, ModuleUnit>, clock: Clock) {
  return async ({ messageId, memberId, to, text }: TextSending, unit: ModuleUnit) => {
    const { texts } = tables(unit);
    const known = await unit.db
      .select({ messageId: texts.messageId })
      .from(texts)
      .where(eq(texts.messageId, messageId));
    if (known.length > 0) return { messageId };
    await unit.db
      .insert(texts)
      .values({ messageId, memberId, recipient: to, text, status: 'queued', at: instant(clock) });
    await unit.begin(sending, messageId, { messageId, memberId, to, text });
    return { messageId };
  };
}
