import type { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { type Issue, invalidInput, refusal } from '../../kernel/errors/index.ts';
import type { Log } from '../../kernel/telemetry/index.ts';
import {
  type apiKeysAnswer,
  memberRolesSchema,
  type newApiKeyAnswer,
  newApiKeySchema,
  type rolesAnswer,
} from '../admin-contract/index.ts';
import type { AccessControl } from '../identity/index.ts';
import { type AdminRoutes, bodyOf, refuseQuery } from './fan-out.ts';

const dayMs = 24 * 60 * 60_000;

/** Serves the roles of members and the keys of programs, in the home process. A change holds from the next request on. */
export function serveAccess(app: AdminRoutes, access: AccessControl, log: Pick<Log, 'info'>): void {
  serveRoles(app, access, log);
  serveApiKeys(app, access, log);
}

function serveRoles(app: AdminRoutes, access: AccessControl, log: Pick<Log, 'info'>): void {
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

function serveApiKeys(app: AdminRoutes, access: AccessControl, log: Pick<Log, 'info'>): void {
  const { apiKeys } = access;
  app.get('/ops/api-keys', (c) => {
    refuseQuery(c);
    return c.json({ items: apiKeys.all() } satisfies z.input<typeof apiKeysAnswer>);
  });
  app.post('/ops/api-keys', async (c) => {
    const { name, roles, days } = parseInput(newApiKeySchema, await bodyOf(c));
    refuseUnknown(roles, access);
    const expiresAt = days === undefined ? undefined : Date.now() + days * dayMs;
    const created = apiKeys.create({ name, roles, expiresAt }) satisfies z.input<typeof newApiKeyAnswer>;
    log.info({ key: created.id, name, roles }, 'an operator has made an API key');
    return c.json(created, 201, { 'cache-control': 'no-store' });
  });
  app.delete('/ops/api-keys/:id', (c) => {
    const id = c.req.param('id');
    if (!apiKeys.revoke(id)) throw refusal('not-found', `there is no API key "${id}"`);
    log.info({ key: id }, 'an operator has revoked an API key');
    return c.json({ items: apiKeys.all() } satisfies z.input<typeof apiKeysAnswer>);
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
