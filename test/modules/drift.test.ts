import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { protoText } from '../../src/shared/adapters/grpc/proto/proto.ts';
import { kernelSettings, portSettings } from '../../src/shared/control/topology/index.ts';
import type { Contract, ErrorDefinition, Event, Operation } from '../../src/shared/kernel/contract/index.ts';
import { kernelCodes } from '../../src/shared/kernel/errors/index.ts';
import { testModule } from '../../src/shared/kernel/testing/index.ts';
import { adapters } from '../harness/adapters.ts';
import { modules, modulesHere } from '../harness/module.ts';

const tablesOf = import.meta.glob<{ tables: (reader: { dialect: 'sqlite' }) => Record<string, SQLiteTable> }>(
  '../../src/modules/*/internal/store.ts',
  { eager: true },
);

describe('facts committed in two places', () => {
  it.each(modulesHere.map((definition) => [definition.contract.name, definition] as const))(
    '%s: the tables match the migrations',
    async (name, definition) => {
      const { database } = await testModule(definition);
      const { tables } = tablesOf[`../../src/modules/${name}/internal/store.ts`]!;
      for (const table of Object.values(tables({ dialect: 'sqlite' }))) {
        const { name: tableName, columns } = getTableConfig(table);
        const made = (await database.db.all(`PRAGMA table_info(${tableName})`)) as {
          name: string;
          notnull: number;
          pk: number;
        }[];
        const nullable = (column: { notNull: boolean; primary: boolean }) => !column.notNull && !column.primary;
        expect(columns.map((column) => [column.name, nullable(column)])).toEqual(
          made.map((column) => [column.name, column.notnull === 0 && column.pk === 0]),
        );
      }
    },
  );

  it('migrations: each declares its phase: whether the previous release can use the migrated data', () => {
    const silent = modulesHere.flatMap(({ contract, migrations }) =>
      migrations.filter(({ phase }) => phase === undefined).map(({ name }) => `${contract.name} ${name}`),
    );
    expect(silent).toEqual([]);
  });

  it.each(modulesHere.map((definition) => [definition.contract.name, definition] as const))(
    '%s: module.json names the modules whose events it subscribes to',
    (_name, { subscriptions, about }) => {
      const publishers = new Set(subscriptions?.map(({ event }) => event.module));
      expect([...publishers].sort()).toEqual([...about.listensTo].sort());
    },
  );

  it.each(modules.map(({ contract }) => [contract.name, contract] as const))(
    '%s: the contract matches its record',
    async (name, contract) => {
      await expect(`${JSON.stringify(record(contract), null, 2)}\n`).toMatchFileSnapshot(`contracts/${name}.json`);
    },
  );

  it.each(modules.map(({ contract }) => [contract.name, contract] as const))(
    '%s: the .proto matches its record, because field numbers must never change',
    async (name, contract) => {
      await expect(protoText(contract)).toMatchFileSnapshot(`contracts/${name}.proto`);
    },
  );

  it('errors: the table in the docs matches the code', () => {
    const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([\w-]+)` \| (\d{3}) \| (.*?) \|/gm)];
    const declared = modules.flatMap(({ contract }) =>
      Object.entries(contract.errors as Record<string, ErrorDefinition>),
    );
    const known = new Map(
      [...Object.entries(kernelCodes), ...declared].map(([code, { status, title }]) => [`${code} ${status}`, title]),
    );
    expect(new Map(documented.map(([, code, status, title]) => [`${code} ${status}`, title]))).toEqual(known);
  });

  it('run-time dependencies: the docs give a reason for each', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const documented = [...readFileSync('docs/dependencies.md', 'utf8').matchAll(/^\| `([@\w/-]+)` \|/gm)].map(
      ([, name]) => name!,
    );
    expect(documented.sort()).toEqual(Object.keys(dependencies).sort());
  });

  it('modules: every one is listed in src/app.ts', () => {
    const listed = /^ {2}modules: \[([\s\S]*?)\],$/m.exec(readFileSync('src/app.ts', 'utf8'))![1]!;
    expect(listed.match(/\w+/g)!.length).toBe(modules.length);
  });

  it('sources: no file is ignored by mistake', () => {
    const { stdout } = spawnSync(
      'git',
      ['ls-files', '--others', '--ignored', '--exclude-standard', 'src', 'test', 'scripts'],
      { encoding: 'utf8' },
    );
    expect(stdout).toBe('');
  });

  it('settings: docs/settings.md lists every setting', () => {
    const documented = [...readFileSync('docs/settings.md', 'utf8').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(
      ([, name]) => name!,
    );
    const known = [
      kernelSettings,
      portSettings(adapters),
      ...modules.flatMap(({ settings }) => settings ?? []),
    ].flatMap((schema) => Object.keys(schema.shape));
    expect(documented.sort()).toEqual([...known].sort());
  });
});

/** Returns the record of a contract, for other languages and for comparison with later versions. */
function record({ operations, events, errors, accepted }: Contract) {
  const schema = (each: z.ZodType, io: 'input' | 'output') => {
    const { $schema: _, ...rest } = z.toJSONSchema(each, { io, unrepresentable: 'any' });
    return rest;
  };
  const each = <T, R>(values: Record<string, T>, map: (value: T) => R) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));
  return {
    operations: each(operations as Record<string, Operation>, ({ kind, input, output }) => ({
      kind,
      input: schema(input, 'input'),
      output: schema(output, 'output'),
    })),
    events: each(events as Record<string, Event>, ({ type, key, data }) => ({
      type,
      key,
      data: schema(data, 'output'),
    })),
    errors: each(errors as Record<string, ErrorDefinition>, ({ status, data }) => ({
      status,
      ...(data && { data: schema(data, 'output') }),
    })),
    ...(accepted && { accepted }),
  };
}
