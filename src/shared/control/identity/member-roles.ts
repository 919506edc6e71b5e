import { hash } from 'node:crypto';
import { z } from 'zod';
import { RecordFolder } from './record-folder.ts';

const recordSchema = z.object({ member: z.string(), roles: z.array(z.string()) });

/** The roles that operators have given to members. A change holds from the next request on, in every process that shares the folder. */
export class MemberRoles {
  readonly #records: RecordFolder<z.output<typeof recordSchema>>;

  constructor(folder: string) {
    this.#records = new RecordFolder(folder, recordSchema);
  }

  of(member: string): readonly string[] {
    return this.#records.get(nameOf(member))?.roles ?? [];
  }

  all(): { member: string; roles: string[] }[] {
    return this.#records.all().map(([, record]) => record);
  }

  /** Replaces the roles of a member. */
  set(member: string, roles: readonly string[]): void {
    if (roles.length === 0) this.#records.delete(nameOf(member));
    else this.#records.put(nameOf(member), { member, roles: [...new Set(roles)].sort() });
  }
}

/** Returns a file name for any id, also for one of an identity provider. */
function nameOf(member: string): string {
  return hash('sha256', member);
}
