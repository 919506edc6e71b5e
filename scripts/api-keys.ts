// kerf api-keys: makes, shows and revokes the keys of programs in the running system.
import type { z } from 'zod';
import { apiKeysAnswer, newApiKeyAnswer, newApiKeySchema } from '../src/shared/control/admin-contract/index.ts';
import type { Define } from './cli/command.ts';
import { optionFor, readNumber } from './numbers.ts';
import { ask, printColumns, type ResultOptions, reaches, tell } from './operator.ts';

export const define: Define = (command) => {
  command
    .description('Makes, shows and revokes the keys of programs. A program sends its key as a bearer token.')
    .note(reaches);
  command
    .command('create')
    .description('Makes a key with these roles and prints it, once: Kerf keeps only a hash of it.')
    .argument('<name>', 'the program that gets the key')
    .argument('<role...>', 'its roles')
    .option('--days <days>', 'the key ends after so many days, up to 3650 (it lasts until it is revoked)')
    .json()
    .action(create);
  command
    .command('list')
    .description('Shows the keys: their roles, and when they were made, end, and were used last, to ten minutes.')
    .json()
    .action(async (options: ResultOptions) => show(await ask(apiKeysAnswer, 'GET', path), options));
  command
    .command('revoke')
    .description('Ends a key. The next request with it is refused.')
    .argument('<id>', 'the id of the key, as list shows it')
    .json()
    .action(async (id: string, options: ResultOptions) =>
      show(await ask(apiKeysAnswer, 'DELETE', `${path}/${encodeURIComponent(id)}`), options),
    );
};

const path = '/ops/api-keys';

async function create(name: string, roles: readonly string[], options: ResultOptions & { readonly days?: string }) {
  const option = optionFor(newApiKeySchema.shape.days, 'takes a number of whole days', { isWhole: true });
  const days = readNumber('days', options.days, option);
  const made = await ask(newApiKeyAnswer, 'POST', path, { name, roles, days });
  tell(options, made, ({ id, token, expiresAt }) => {
    console.log(token);
    console.log(`This is the only time that the key is shown. It ends ${expiresAt ?? 'when it is revoked'}:`);
    console.log(`npx kerf api-keys revoke ${id}`);
  });
}

function show(answer: z.output<typeof apiKeysAnswer>, options: ResultOptions): void {
  tell(options, answer, ({ items }) => {
    if (items.length === 0) console.log('there are no API keys');
    printColumns(
      items.map(({ id, name, roles, createdAt, expiresAt, lastUsedAt }) => [
        ...[id, name, roles.join(', '), `made ${createdAt}`],
        ...[expiresAt ? `ends ${expiresAt}` : 'does not end', lastUsedAt ? `used ${lastUsedAt}` : 'never used'],
      ]),
    );
  });
}
