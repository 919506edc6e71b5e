import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Kerf, startAndFail } from '../harness/kerf.ts';
import { Copy } from './copy.ts';

/** Adapters that every start needs, and the missing function that the error names. */
const needed: Readonly<Record<string, string>> = { sqlite: 'openEngine', http: 'openInternalListener' };
const adapters = readdirSync('src/shared/adapters');
const optional = adapters.filter((name) => !Object.hasOwn(needed, name));

/** Settings that need an adapter, and the error of a start without it. */
const users: readonly (readonly [name: string, env: Record<string, string>, said: string])[] = [
  ['grpc', { MODULE_SMS: 'grpc' }, 'the placement of sms needs an adapter that offers openCallListener'],
  ['grpc', { MODULE_SMS: 'grpc://127.0.0.1:9' }, 'grpc://127.0.0.1:9 needs an adapter that carries calls over grpc://'],
  ['dns', { MODULE_SMS: 'http+dns://sms:80' }, 'the placement of sms needs an adapter that offers findByName'],
  ['file', { MODULE_SMS: 'file:sms' }, 'the placement of sms needs an adapter that offers findInFile'],
  ['kafka', { BUS: 'kafka://127.0.0.1:9' }, 'kafka://127.0.0.1:9 needs an adapter that carries events over kafka://'],
  ['nats', { BUS: 'nats://127.0.0.1:9' }, 'nats://127.0.0.1:9 needs an adapter that carries events over nats://'],
  [
    'rabbitmq',
    { MODULE_SMS: 'amqp://user:secret@127.0.0.1:9' },
    'amqp://127.0.0.1:9 needs an adapter that carries calls over amqp://',
  ],
];

describe('an adapter is a folder, and a line in src/app.ts', () => {
  const copies = new Map(adapters.map((name) => [name, new Copy()]));
  const least = new Copy();
  const programs = new Map<string, string>();
  const scratch = mkdtempSync(join(tmpdir(), 'kerf-adapters-'));
  const folder = () => ({ DATA_DIR: mkdtempSync(join(scratch, 'data-')) });
  beforeAll(() => {
    for (const name of optional) least.removeAdapter(name);
    for (const [name, copy] of copies) {
      copy.removeAdapter(name);
      programs.set(name, copy.build());
    }
  }, 120_000);
  afterAll(() => {
    for (const copy of [...copies.values(), least]) copy.delete();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('without all that are optional, the rest keeps its types and its borders', { timeout: 60_000 }, () => {
    expect(least.typeErrors()).toBe('');
    expect(least.report().violations).toEqual([]);
  });

  it.each(optional)('without %s, the system starts and serves', async (name) => {
    const kerf = await Kerf.start({ program: programs.get(name) });
    expect((await fetch(`${kerf.url}/readyz`)).status).toBe(200);
    expect(await kerf.stop()).toBe(0);
  });

  it.each(users)('without %s, a start that needs it says so: %j', async (name, env, said) => {
    const { code, stderr } = await startAndFail({ ...env, ...folder() }, [], programs.get(name));
    expect([code, stderr.trim()]).toEqual([1, `kerf: ${said}, and src/app.ts lists none: add it to "adapters"`]);
  });

  it.each(Object.entries(needed))('without %s, a start says what is missing', async (name, part) => {
    const { code, stderr } = await startAndFail(folder(), [], programs.get(name));
    expect([code, stderr.trim()]).toEqual([
      1,
      expect.stringMatching(`needs an adapter that offers ${part}, and src/app.ts`),
    ]);
  });
});
