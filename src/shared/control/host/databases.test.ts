import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqlite } from '../../adapters/sqlite/index.ts';
import type { CallRequest, Link } from '../../kernel/calls/index.ts';
import type { Database } from '../../kernel/database/index.ts';
import { DatabaseRecords, joinSystem, stateOf } from '../../kernel/database-engine/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { silentLog } from '../../kernel/telemetry/index.ts';
import { enrolledVariable } from '../supervisor/index.ts';
import type { Placement } from '../topology/index.ts';
import { Databases } from './databases.ts';

const [system, id] = ['the system', 'its database'];
const module = 'payments';
let folder: string;
let records: DatabaseRecords;
let database: Database | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-databases-'));
  records = new DatabaseRecords(folder, true);
  records.setSystem(system);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await database?.close();
  database = undefined;
  rmSync(folder, { recursive: true });
});

const seen = (commits: number) => records.see({ system, module, id, commits });
const linkTo = (answer: (input: unknown) => unknown) => {
  const call = vi.fn(async ({ input }: CallRequest) => answer(input));
  return { call, close: async () => {} } satisfies Link;
};

/** Creates the `Databases` of a process on the folder. Another process that runs payments answers at `link`. */
function databasesOf({ only, link, placement }: { only?: string[]; link?: Link; placement?: Placement } = {}) {
  const parts = {
    ...{ records, log: silentLog, accepted: [] },
    topology: { only, homeAddress: 'http://home:3001', placements: new Map([[module, { kind: 'in-process' }]]) },
    placements: new Map([[module, placement ?? { kind: 'addresses', addresses: ['http://payments:4105'] }]]),
    definitions: [{ contract: { name: module } }],
    open: new Map(only && [[module, { name: module, database }]]),
    directory: {
      routeTo: () => ({ state: 'there', upstream: { instances: [{ address: 'http://payments:4105', link }] } }),
    },
  };
  return new Databases({ ...parts, adapters: { connect: () => link! } } as never);
}

describe('the home process', () => {
  const looked = async (link: Link, placement?: Placement) => {
    const home = databasesOf({ link, placement });
    await home.refuseOthers().finally(() => home.close());
  };

  it('compares an answer with the record from before the question, since the module may write meanwhile', async () => {
    seen(7);
    const link = linkTo(() => {
      seen(8);
      return { system, id, commits: 7 };
    });
    await looked(link);
    expect(records.of(module)).toMatchObject({ commits: 8 });
  });

  it('does not start when commits are missing', async () => {
    seen(8);
    await expect(looked(linkTo(() => ({ system, id, commits: 7 })))).rejects.toThrow(
      /at http:\/\/payments:4105 is refused: its last commits are missing: it ends with commit 7, and commit 8 was seen/,
    );
  });

  it("is the only process that accepts a loss, whatever the module's process sends", () => {
    seen(8);
    const introduce = () =>
      databasesOf().introduced(module, { system, id: 'another', commits: 1, accepted: true } as never);
    expect(introduce()).toEqual({
      why: expect.stringMatching(
        /^it is another database .*; the home process alone accepts a loss: start that with --accept-loss payments$/,
      ),
    });
    expect(records.of(module)).toMatchObject({ id, commits: 8 });
    records.accept(module);
    expect(introduce()).toEqual({ system });
  });

  it('does not ask a module that it has extracted, since they share a data folder', async () => {
    const link = linkTo(() => ({ system, id: 'another', commits: 1 }));
    seen(8);
    await looked(link, { kind: 'service', via: 'http', instances: 1 });
    expect(link.call).not.toHaveBeenCalled();
  });
});

describe('a separately started module process', () => {
  const open = () => {
    database = openSqlite(module, join(folder, `${module}.db`), [], silentLog, records);
    return database;
  };
  /** Introduces the module to a home process on the same folder. Calls `meanwhile` while each question is on its way. */
  const introduced = (meanwhile: (question: number) => unknown = () => {}) => {
    const home = databasesOf();
    let questions = 0;
    const link = linkTo(async (input) => {
      questions += 1;
      await meanwhile(questions);
      return home.introduced(module, input as never);
    });
    return { link, answer: databasesOf({ only: [module], link }).introduce() };
  };

  it('introduces its data again after a refusal, since it may have written the record meanwhile', async () => {
    const own = open();
    const { link, answer } = introduced(async (question) => {
      if (question > 1) return;
      await joinSystem(own, system);
      records.see(await stateOf(own));
    });
    expect(await answer).toBe(true);
    expect(link.call).toHaveBeenCalledTimes(2);
  });

  it('does not start when commits are missing', async () => {
    const { id } = await stateOf(open());
    records.see({ system, module, id, commits: 99 });
    const error: unknown = await introduced().answer.catch((error) => error);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/home process \(http:\/\/home:3001\) refuses .* its last commits are missing/),
    });
  });

  it('introduces its data under a foreign supervisor, but not when the home process has started it', async () => {
    open();
    // The test runner is such a supervisor.
    expect(process.send).toBeDefined();
    const bySupervisor = introduced();
    await bySupervisor.answer;
    expect(bySupervisor.link.call).toHaveBeenCalledTimes(1);
    vi.stubEnv(enrolledVariable, 'yes');
    const byHome = introduced();
    expect(await byHome.answer).toBe(true);
    expect(byHome.link.call).not.toHaveBeenCalled();
  });
});
