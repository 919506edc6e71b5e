import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

/** Command that runs a program as process 1 of its own PID namespace, as in a container. The program dies with the command. */
const unshare = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child'];
const [command, ...words] = unshare as [string, ...string[]];
const canUnshare = spawnSync(command, [...words, 'true']).status === 0;
const title = 'processes with the same host name and process id';

describe.skipIf(!canUnshare)(canUnshare ? title : `${title} (needs PID namespaces: ${unshare.join(' ')})`, () => {
  const started: ChildProcess[] = [];
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** Starts an instance in its own container. `next` resolves with its next line of output. */
  async function contained(file: string) {
    const program = `
      import { systemClock } from './src/shared/kernel/context/index.ts';
      import { openSqlite } from './src/shared/adapters/sqlite/index.ts';
      import { Instance, instanceMigrations } from './src/shared/kernel/leader-election/index.ts';
      import { silentLog } from './src/shared/kernel/telemetry/index.ts';
      const say = (word) => console.log(word + ' as process ' + process.pid);
      const database = openSqlite('shop', ${JSON.stringify(file)}, instanceMigrations);
      const instance = new Instance({ database, clock: systemClock, log: silentLog });
      instance.whileLeader(async () => { say('leads'); return () => say('leads no more'); });
      await instance.start();
      if (!instance.leads) say('follows');
      for await (const _ of process.stdin) { await instance.look(); await instance.look(); say(instance.leads ? 'still leads' : 'still follows'); }
    `;
    const node = [process.execPath, '--no-warnings', '--input-type=module', '--eval'];
    const child = spawn(command, [...words, ...node, program], { stdio: ['pipe', 'pipe', 'inherit'] });
    started.push(child);
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value as string;
    const look = () => {
      child.stdin!.write('look\n');
      return next();
    };
    return { child, next, look };
  }

  it('never lead at the same time, and the second leads immediately after the first is killed', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'kerf-containers-')), 'shop.db');
    const one = await contained(file);
    expect(await one.next()).toBe('leads as process 1');
    const other = await contained(file);
    expect(await other.next()).toBe('follows as process 1');
    for (let turn = 0; turn < 3; turn++) {
      expect(await one.look()).toBe('still leads as process 1');
      expect(await other.look()).toBe('still follows as process 1');
    }
    one.child.kill('SIGKILL');
    await once(one.child, 'exit');
    expect(await other.next()).toBe('leads as process 1');
    other.child.kill('SIGKILL');
    await once(other.child, 'exit');
    const restarted = await contained(file);
    expect(await restarted.next()).toBe('leads as process 1');
  });
});
