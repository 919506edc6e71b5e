import type { ModuleUnit } from '../../../../shared/kernel/module/index.ts';
import { tables } from '../tables.ts';
import type { OutgoingText } from './text-provider.ts';

/** Writes a message to a table, which replaces the provider. The unit that marks the message as sent writes it, so it is there once. */
export async function putIntoOutbox(
  unit: ModuleUnit,
  { messageId, to, text }: OutgoingText,
  at: string,
): Promise<void> {
  await unit.db.insert(tables(unit).outbox).values({ messageId, recipient: to, text, at });
}
