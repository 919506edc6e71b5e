import type { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { type Issue, invalidInput } from '../../kernel/errors/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import { memberRolesSchema, type rolesAnswer } from '../admin-contract/index.ts';
import type { AccessControl } from '../identity/index.ts';
import { type AdminRoutes, bodyOf, refuseQuery } from './fan-out.ts';

/** Serves the roles of members, in the home process. A change holds from the next request of the member on. */
export function serveAccess(app: AdminRoutes, access: AccessControl, log: Pick<Log, 'info'>): void {
  const answer = (): z.output<typeof rolesAnswer> => ({ roles: [...access.roles], items: access.memberRoles.all() });
  app.get('/ops/roles', (c) => {
    refuseQuery(c);
    return c.json(answer());
  });
  app.put('/ops/roles', async (c) => {
    const { member, roles } = parseInput(memberRolesSchema, await bodyOf(c));
    refuseUnknown(roles, access);
    access.memberRoles.set(member, roles);
    log.info({ member, roles }, 'an operator has set the roles of a member');
    return c.json(answer());
  });
}

/** Throws `invalid-input` for a role that no endpoint asks for: most probably a typing error. */
function refuseUnknown(roles: readonly string[], access: AccessControl): void {
  const known = access.roles;
  const issues = roles.flatMap((role, at): Issue[] => {
    if (known.includes(role)) return [];
    const there = known.length > 0 ? `there are ${known.join(', ')}` : 'no endpoint asks for any role';
    return [{ path: `roles.${at}`, message: `there is no role "${role}"; ${there}` }];
  });
  if (issues.length > 0) throw invalidInput(issues);
}
