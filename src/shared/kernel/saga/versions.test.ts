import { expect, it, vi } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { command, contract, nothing } from '../contract/index.ts';
import type { Unit } from '../database/index.ts';
import { refusal } from '../errors/index.ts';
import { instanceMigrations } from '../leader-election/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { SharedFile } from '../testing/index.ts';
import { SagaRunner } from './runner.ts';
import { type Saga, step } from './saga.ts';
import { findSaga } from './store.ts';
import { sagaMigrations } from './tables.ts';

const act = { input: nothing, output: nothing };
const kitchen = contract('kitchen', {
  operations: {
    boil: command({ summary: 'Boils water', ...act }),
    brew: command({ summary: 'Brews', ...act }),
    grind: command({ summary: 'Grinds beans', ...act }),
  },
});
const { boil, brew, grind } = kitchen.operations;
const calling = (operation: typeof boil | typeof brew | typeof grind) =>
  step<object>(operation.name).call(operation, () => ({}));

const instant: Saga<object, Unit> = { name: 'coffee', version: 1, data: nothing, steps: [boil, brew].map(calling) };
const fresh: Saga<object, Unit> = { ...instant, version: 2, steps: [grind, boil, brew].map(calling) };

it('a saga ends with the definition of its start, beside sagas of the next release', async () => {
  const file = new SharedFile([...instanceMigrations, ...sagaMigrations]);
  const database = file.open();
  const clock = new ManualClock();
  const called: string[] = [];
  let away = true;
  const release = (id: string, sagas: Saga<object, Unit>[]) =>
    new SagaRunner<Unit>({
      module: 'sample',
      ...{ sagas: sagas as Saga<never>[], database, clock, log: silentLog, instance: { id, lives: true } },
      work: (task) => database.work(task),
      call: async ({ name }, _input, key) => {
        if (name === 'brew' && away) throw refusal('unavailable');
        called.push(key);
        return {};
      },
    });

  const before = release('before', [instant]);
  await before.start();
  await database.work((unit) => before.begin(unit, instant, 'old', {}));
  await vi.waitFor(async () => expect((await findSaga(database, 'old'))?.attempts).toBe(1));
  await before.stop();

  away = false;
  const after = release('after', [instant, fresh]);
  await database.work((unit) => after.begin(unit, fresh, 'new', {}));
  clock.advance(1_000);
  await after.start();
  expect(await Promise.all([after.settled('old', 1_000), after.settled('new', 1_000)])).toEqual(['done', 'done']);
  expect(called.filter((key) => key.startsWith('old'))).toEqual(['old/boil', 'old/brew']);
  expect(called.filter((key) => key.startsWith('new'))).toEqual(['new/grind', 'new/boil', 'new/brew']);
  await after.stop();
  await file.close();
});
