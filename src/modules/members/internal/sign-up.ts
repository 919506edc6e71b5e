import { instant, newId } from 'kerf/context';
import { isUniqueConflict } from 'kerf/database';
import { inSteps } from 'kerf/module';
import { members, type Wiring } from '../contract.ts';
import type { Passwords } from './passwords.ts';
import { addMember, memberByEmail } from './store.ts';
import { welcomes } from './welcome.ts';

const waitMs = 2_000;

export function signUp(wiring: Wiring, passwords: Passwords) {
  const welcome = welcomes[wiring];
  return inSteps(members.operations.signUp, async ({ email, password, name, phone }, steps) => {
    const { work, answer, settled, signal, clock } = steps;
    const member = { id: newId(), email: email.toLowerCase(), name };
    const passwordHash = await passwords.hash(password, signal);
    await work(async (unit) => {
      if (await memberByEmail(unit, member.email)) throw members.refuse('email-taken');
      await addMember(unit, { ...member, phone, passwordHash, createdAt: instant(clock) });
      const told = { memberId: member.id, email: member.email, name, phone };
      await unit.publish(members.events.registered, { ...told, wiring });
      if (welcome) await unit.begin(welcome, `welcome/${member.id}`, { ...told, mailId: newId(), textId: newId() });
      await answer(unit, member);
    }).catch((error) => {
      throw isUniqueConflict(error) ? members.refuse('email-taken') : error;
    });
    if (welcome) await settled(`welcome/${member.id}`, waitMs);
    return member;
  });
}

export function signIn(passwords: Passwords) {
  return inSteps(members.operations.signIn, async ({ email, password }, { read, signal }) => {
    const member = await memberByEmail(read, email.toLowerCase());
    if (!(await passwords.fits(member?.passwordHash, password, signal))) throw members.refuse('bad-credentials');
    return { id: member!.id };
  });
}
