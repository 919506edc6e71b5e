import { join } from 'node:path';
import { StartError } from '../../kernel/errors/index.ts';
import { ApiKeys } from './api-keys.ts';
import { MemberRoles } from './member-roles.ts';

/** Neither a space nor a comma: roles stand in lists. ASCII only, so that two roles never look alike. */
const roleName = /^[A-Za-z0-9][\w.:-]{0,63}$/;

/**
 * Knows who has which role. A role exists while an endpoint asks for it: nobody can be given another, and one that no endpoint asks for
 * any more travels with no call.
 */
export class AccessControl {
  readonly #roles = new Set<string>();
  readonly memberRoles: MemberRoles;
  readonly apiKeys: ApiKeys;

  /** `folder` is the folder of keys. */
  constructor(folder: string) {
    this.memberRoles = new MemberRoles(join(folder, 'roles'));
    this.apiKeys = new ApiKeys(join(folder, 'api-keys'));
  }

  /** The roles that endpoints ask for. */
  get roles(): readonly string[] {
    return [...this.#roles].sort();
  }

  /** Adds the roles that an endpoint asks for. Throws a `StartError` for one that is no name. */
  add(roles: readonly string[]): void {
    for (const role of roles) {
      if (!roleName.test(role))
        throw new StartError(
          `an endpoint asks for the role "${role}": a role has up to 64 letters, digits, or any of _ . : -`,
        );
      this.#roles.add(role);
    }
  }

  /** Returns those of the roles that an endpoint asks for, each once. */
  existing(roles: Iterable<unknown>): string[] {
    const given = new Set(roles);
    return [...this.#roles].filter((role) => given.has(role));
  }

  /** Returns the roles that operators have given to a member. */
  rolesOf(member: string): string[] {
    return this.#roles.size === 0 ? [] : this.existing(this.memberRoles.of(member));
  }
}
