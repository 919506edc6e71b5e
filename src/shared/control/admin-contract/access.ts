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
