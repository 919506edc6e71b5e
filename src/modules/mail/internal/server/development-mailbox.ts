import { insertInto } from '../../../../shared/kernel/database/index.ts';
import type { ModuleUnit } from '../../../../shared/kernel/module/index.ts';
import { tables } from '../tables.ts';
import type { OutgoingMail } from './mail-server.ts';

const add = insertInto((reader) => tables(reader).mailbox);

/** Writes a mail to a table, which replaces the server. The unit that marks the mail as sent writes it, so it is there once. */
export async function putIntoMailbox(
  unit: ModuleUnit,
  { messageId, to, subject, text }: OutgoingMail,
  at: string,
): Promise<void> {
  await add(unit, { messageId, recipient: to, subject, text, at });
}
