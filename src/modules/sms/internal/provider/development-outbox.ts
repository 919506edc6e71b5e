import type { ModuleUnit } from '../../../../shared/kernel/module/index.ts';
import { tables } from '../tables.ts';
import type { OutgoingText } from './text-provider.ts';

/** Instead of a provider: a table to look into. Written in the unit that marks the message as sent, so it is there once. */
export async function putIntoOutbox(
  unit: ModuleUnit,
  { messageId, to, text }: OutgoingText,
  at: string,
): Promise<void> {
  await unit.db.insert(tables(unit).outbox).values({ messageId, recipient: to, text, at });
}
