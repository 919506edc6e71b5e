import { z } from 'zod';

const member = z.string().min(1).max(255);
const roles = z.array(z.string().min(1).max(64)).max(64);

/** Replaces the roles of a member. An empty list takes all of them away. */
export const memberRolesSchema = z.strictObject({ member, roles });

export const rolesAnswer = z.object({
  /** The roles that endpoints ask for. */
  roles: z.array(z.string()),
  /** The members with a role that an operator has given to them. */
  items: z.array(z.object({ member: z.string(), roles: z.array(z.string()) })),
});

const maxDays = 3_650;

export const newApiKeySchema = z.strictObject({
  /** What the key is for, as operators see it. */
  name: z.string().min(1).max(100),
  roles: roles.min(1),
  /** After so many days, the key ends. Without it, it lasts until it is revoked. */
  days: z.number().int().min(1).max(maxDays).optional(),
});

const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().optional(),
  /** To ten minutes. */
  lastUsedAt: z.string().optional(),
});

/** The only answer that has the key itself. */
export const newApiKeyAnswer = apiKey.extend({ token: z.string() });
export const apiKeysAnswer = z.object({ items: z.array(apiKey) });
