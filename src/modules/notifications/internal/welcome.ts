import type { Clock } from '../../../shared/kernel/context/index.ts';
import type { ModuleUnit } from '../../../shared/kernel/module/index.ts';
import { notify } from './dispatch.ts';
import { type Contact, tables } from './tables.ts';

interface NewMember {
  memberId: string;
  email: string;
  name: string;
  phone?: string;
}

export async function keepContact(unit: ModuleUnit, { memberId, email, name, phone }: NewMember): Promise<Contact> {
  const contact = { memberId, email, name, phone: phone ?? null };
  const { contacts } = tables(unit);
  const { memberId: _, ...rest } = contact;
  await unit.db.insert(contacts).values(contact).onConflictDoUpdate({ target: contacts.memberId, set: rest });
  return contact;
}

export function welcome(clock: Clock) {
  return async (member: NewMember, unit: ModuleUnit) => {
    const contact = await keepContact(unit, member);
    await notify(
      unit,
      contact,
      { subject: 'Welcome to Kerf', text: `Hello ${member.name},\n\nyour account is ready.\n` },
      clock,
    );
    return {};
  };
}
