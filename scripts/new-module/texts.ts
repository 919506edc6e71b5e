// What npx kerf new module writes: the least module, with a table, a command and a query.

interface NewModule {
  /** Such as `gift-cards`. */
  readonly name: string;
  /** Its name in code, such as `giftCards`. */
  readonly variable: string;
  /** The team to contact. */
  readonly owner: string;
  /** The modules that it calls. */
  readonly uses: readonly UsedModule[];
}

/** A module by its name, and by the name of its contract in code. */
export interface UsedModule {
  readonly name: string;
  readonly variable: string;
}

/** Returns the text of each file, by path. */
export function filesOf(module: NewModule): Record<string, string> {
  const folder = `src/modules/${module.name}`;
  return {
    [`${folder}/module.json`]: manifest(module),
    [`${folder}/contract.ts`]: contract(module),
    [`${folder}/module.ts`]: definition(module),
    [`${folder}/internal/store.ts`]: store(module),
    [`${folder}/${module.name}.test.ts`]: test(module),
  };
}

/** Returns the text of src/app.ts with the module in its list, or `undefined` when that list is not found. */
export function listed(app: string, { name, variable }: UsedModule): string | undefined {
  const list = /^( {2}modules: \[[^\]]*?)(,?\s*)\]/m;
  if (!list.test(app)) return undefined;
  return `import ${variable} from './modules/${name}/module.ts';\n${app.replace(list, `$1, ${variable}]`)}`;
}

function manifest({ name, owner, uses }: NewModule): string {
  const about = `What ${name} does, in a sentence.`;
  return `${JSON.stringify({ name, owner, about, uses: uses.map((used) => used.name), listensTo: [] }, null, 2)}\n`;
}

function contract({ name, variable }: NewModule): string {
  return `import { z } from 'zod';
import { command, contract, id, query, text } from 'kerf/contract';

const item = z.strictObject({ id, text: text(500, 1) });

export const ${variable} = contract('${name}', {
  operations: {
    write: command({ summary: 'Writes an item; the same id replaces it', input: item, output: item }),
    read: query({
      summary: 'The item with this id, or null',
      input: z.strictObject({ id }),
      output: z.object({ item: item.nullable() }),
    }),
  },
});
`;
}

function definition({ variable, uses }: NewModule): string {
  const imports = uses.map((used) => `import { ${used.variable} } from '../${used.name}/contract.ts';\n`).join('');
  const listed = uses.length > 0 ? `\n  uses: { ${uses.map((used) => used.variable).join(', ')} },` : '';
  return `import { defineModule } from 'kerf/module';
${imports}import { ${variable} } from './contract.ts';
import { migrations, read, write } from './internal/store.ts';
import about from './module.json' with { type: 'json' };

export default defineModule({
  contract: ${variable},
  about,${listed}
  migrations,
  open: () => ({ operations: { write, read } }),
});
`;
}

function store({ variable }: NewModule): string {
  return `import { defineTables, type Migration, rowBy, upsertInto } from 'kerf/database';
import { handle } from 'kerf/module';
import { ${variable} } from '../contract.ts';

export const tables = defineTables(({ table, text }) => ({
  items: table('items', { id: text('id').primaryKey(), text: text('text').notNull() }),
}));

export const migrations: Migration[] = [
  { name: '0001-items', phase: 'expand', sqlite: 'CREATE TABLE items (id TEXT PRIMARY KEY, text TEXT NOT NULL)' },
];

const put = upsertInto((unit) => tables(unit).items, 'id');
const itemById = rowBy((reader) => tables(reader).items, 'id');

export const write = handle(${variable}.operations.write, async (item, unit) => {
  await put(unit, item);
  return item;
});

export const read = handle(${variable}.operations.read, async ({ id }, reader) => ({
  item: (await itemById(reader, id)) ?? null,
}));
`;
}

function test({ variable }: NewModule): string {
  return `import { newId } from 'kerf/context';
import { testModule } from 'kerf/testing';
import { expect, it } from 'vitest';
import definition from './module.ts';

it('reads the item that was written last', async () => {
  const ${variable} = await testModule(definition);
  const item = { id: newId(), text: 'second' };
  await ${variable}.write({ ...item, text: 'first' });
  await ${variable}.write(item);
  expect(await ${variable}.read({ id: item.id })).toEqual({ item });
  expect(await ${variable}.read({ id: newId() })).toEqual({ item: null });
});
`;
}
