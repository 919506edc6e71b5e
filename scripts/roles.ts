// kerf roles: shows and changes the roles of members in the running system.
import type { z } from 'zod';
import { rolesAnswer } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { ask, printColumns, type ResultOptions, reaches, tell } from './operator.ts';

export const define: Define = (command) => {
  command
    .description(`Shows and changes the roles of members. A change holds from the next request of the member on. Roles from an identity provider
(OIDC_ROLES_CLAIM) are not listed here.`)
    .note(reaches);
  command
    .command('list')
    .description('Shows the roles that endpoints ask for, and the members that have one from an operator.')
    .json()
    .action(async (options: ResultOptions) => show(await ask(rolesAnswer, 'GET', path), options));
  command
    .command('set')
    .description('Gives a member these roles and no others.')
    .argument('<member>', 'the id of the member, such as GET /members/me shows')
    .argument('<role...>', 'the roles')
    .json()
    .action(put);
  command
    .command('clear')
    .description('Takes all roles of a member away that operators gave.')
    .argument('<member>', 'the id of the member')
    .json()
    .action((member: string, options: ResultOptions) => put(member, [], options));
};

const path = '/ops/roles';

async function put(member: string, roles: readonly string[], options: ResultOptions): Promise<void> {
  show(await ask(rolesAnswer, 'PUT', path, { member, roles }), options);
}

function show(answer: z.output<typeof rolesAnswer>, options: ResultOptions): void {
  tell(options, answer, ({ roles, items }) => {
    console.log(roles.length > 0 ? `roles: ${roles.join(', ')}` : 'no endpoint asks for any role');
    printColumns(items.map((each) => [each.member, each.roles.join(', ')]));
  });
}
