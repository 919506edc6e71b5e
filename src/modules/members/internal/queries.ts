import { eq } from 'drizzle-orm';
import type { Reader } from '../../../shared/kernel/database/index.ts';
import { refusal } from '../../../shared/kernel/errors/index.ts';
import { inSteps } from '../../../shared/kernel/module/index.ts';
import { members } from '../contract.ts';
import type { Passwords } from './passwords.ts';
import { tables } from './tables.ts';

export function signIn(passwords: Passwords) {
  return inSteps(async ({ email, password }: { email: string; password: string }, { read, signal }) => {
    const { members: table } = tables(read);
    const [row] = await read.db.select().from(table).where(eq(table.email, email.toLowerCase()));
    if (!(await passwords.fits(row?.passwordHash, password, signal))) throw members.refuse('bad-credentials');
    return { id: row!.id };
  });
}

export async function profile({ id }: { id: string }, reader: Reader) {
  const { members: table } = tables(reader);
  const [row] = await reader.db.select().from(table).where(eq(table.id, id));
  if (!row) throw refusal('not-found', 'there is no such member');
  const { email, name, phone } = row;
  return { id, email, name, ...(phone !== null && { phone }) };
}

export async function displayName(asked: { id: string }, reader: Reader) {
  const { name } = await profile(asked, reader);
  return { name };
}
