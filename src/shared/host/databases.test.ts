import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Database, DatabaseRecords, openSqlite, stateOf } from '../data/index.ts';
import { StartError } from '../errors/index.ts';
import { silentLog } from '../observability/index.ts';
import type { CallRequest, Link } from '../transport/index.ts';
import { Databases } from './databases.ts';
import { enrolledVariable } from './services/enrolment.ts';

const system = 'the system';
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

const linkTo = (answer: (input: unknown) => unknown) => {
  const call = vi.fn(async ({ input }: CallRequest) => answer(input));
  return { call, close: async () => {} } satisfies Link;
};

/** The databases as a process on the folder knows them. Another process that runs payments answers at `link`. */
function databasesOf({ only, link }: { only?: string[]; link?: Link } = {}) {
  const parts = {
    ...{ records, log: silentLog, accepted: [] },
    topology: { only, homeAddress: 'http://home:3001', placements: new Map([[module, { kind: 'in-process' }]]) },
    definitions: [{ contract: { name: module } }],
    open: new Map(only && [[module, { name: module, database }]]),
    directory: { of: () => ({ state: 'there', edge: { instances: [{ address: 'http://payments:4105', link }] } }) },
  };
  return new Databases(parts as never, () => link!);
}

describe('a process that runs a module by itself', () => {
  const open = () => {
    database = openSqlite(module, join(folder, `${module}.db`), [], silentLog, records);
    return database;
  };
  /** Introduces the module to a home process on the same folder. */
  const introduced = () => {
    const home = databasesOf();
    const link = linkTo((input) => home.introduced(module, input as never));
    return { link, answer: databasesOf({ only: [module], link }).introduce() };
  };

  it('does not start when commits are missing', async () => {
    const { id } = await stateOf(open());
    records.see({ system, module, id, commits: 99 });
    const error: unknown = await introduced().answer.catch((error) => error);
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/home process \(http:\/\/home:3001\) refuses .* its last commits are missing/),
    });
  });

  it('introduces its data under a supervisor that forks it, and not when the home process has started it', async () => {
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
