import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lives, Scene } from '../../crash/scene.ts';
import { deep } from '../../harness/deep.ts';
import { eventually, type Kerf } from '../../harness/kerf.ts';
import { SteadyLoad } from '../../harness/load.ts';
import { Operator } from '../../harness/operator.ts';
import { type Order, Shop } from '../../harness/shop.ts';
import { topologyFile } from '../../harness/topology-file.ts';

type Line = {
  begun?: string;
  done?: { step: string; copies?: string[] };
  report?: object;
  problem?: { code: string; detail: string };
};

/** Requests a relocation and calls `onLine` for each line of its progress. Resolves with the last line. */
async function follow(
  kerf: Kerf,
  module: string,
  order: object,
  onLine: (line: Line) => void | Promise<void>,
): Promise<Line> {
  const token = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
  const answer = await fetch(`${kerf.announced.internal}/ops/modules/${module}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, accept: 'application/x-ndjson' },
    body: JSON.stringify(order),
  });
  let [rest, last] = ['', {} as Line];
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      last = JSON.parse(line) as Line;
      await onLine(last);
    }
  }
  return last;
}

/** Returns the id of the new process, if the line names one. */
function pidIn({ done }: Line): number | undefined {
  const [, pid] = /^process (\d+)$/.exec(done?.copies?.[0] ?? '') ?? [];
  return pid ? Number(pid) : undefined;
}

async function opened(topology: string) {
  const TOPOLOGY = topologyFile(topology);
  const scene = new Scene({ TOPOLOGY });
  const kerf = await scene.start();
  const load = new SteadyLoad(await new Shop(kerf.url).join(), ['/orders'], 50);
  await load.answers(5);
  return { TOPOLOGY, scene, kerf, load, operator: new Operator(kerf) };
}

describe('a failed extraction', () => {
  it(
    'is rolled back without failed requests when the new process dies in any step, and then succeeds',
    deep,
    async () => {
      const text = 'modules:\n  payments: in-process # here\n';
      const { TOPOLOGY, scene, kerf, load } = await opened(text);
      for (const step of ['contract', 'warm', 'move calls', 'drain', 'hand over', 'persist']) {
        let pid: number | undefined;
        const last = await follow(kerf, 'payments', { placement: 'http' }, (line) => {
          pid ??= pidIn(line);
          if (line.begun === step && pid) process.kill(pid, 'SIGKILL');
        });
        // A short step may end before the process dies. Then the module has moved, and its process starts again.
        const moved = last.report !== undefined;
        if (!moved)
          expect(last.problem).toMatchObject({
            code: 'move-failed',
            detail: expect.stringContaining('payments stays in-process'),
          });
        expect(readFileSync(TOPOLOGY, 'utf8')).toBe(moved ? text.replace('in-process', 'http') : text);
        await eventually(async () => pid !== undefined && !lives(pid), 'the end of the process');
        await load.answers(5);
        if (!moved) continue;
        await eventually(async () => (await kerf.readyPidsOf('payments')).length === 1, 'the restarted process');
        expect((await follow(kerf, 'payments', { placement: 'in-process' }, () => {})).report).toBeDefined();
      }
      expect((await follow(kerf, 'payments', { placement: 'http' }, () => {})).report).toMatchObject({ to: 'http' });
      await load.answers(5);
      await load.stop();
      await scene.endsWell(kerf, load.orderAnswers);
    },
  );

  it('is rolled back when the new process hangs or cannot start', deep, async () => {
    const { scene, kerf, load } = await opened('modules:\n');
    const folder = mkdtempSync(join(tmpdir(), 'kerf-artifact-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const broken = join(folder, 'broken.mjs');
    writeFileSync(broken, 'process.exit(3);\n');
    const last = await follow(kerf, 'payments', { placement: `http?artifact=${broken}` }, () => {});
    expect(last.problem).toMatchObject({
      code: 'move-failed',
      detail: expect.stringMatching(/at "start", a process of payments ended before it was ready: code 3/),
    });
    const hung = await follow(kerf, 'payments', { placement: 'http' }, (line) => {
      const pid = pidIn(line);
      if (pid) process.kill(pid, 'SIGSTOP');
    });
    expect(hung.problem).toMatchObject({
      code: 'move-failed',
      detail: expect.stringContaining('payments stays in-process'),
    });
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });
});

/** Lists the child processes of `pid`. `openBy` lists its open files. */
const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
const openBy = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  });

describe('an aborted relocation', () => {
  it('leaves no process or open file when aborted at the start, out to two processes and back in', async () => {
    const { scene, kerf, load, operator } = await opened('modules:\n  payments: in-process\n');
    const home = kerf.process.pid!;
    const database = join(kerf.dataDir, 'payments.db');
    for (const to of ['http?instances=2', 'in-process']) {
      const before = [childrenOf(home).length, openBy(home).includes(database)];
      for (let time = 0; time < 3; time++) {
        const last = await follow(kerf, 'payments', { placement: to }, async ({ begun }) => {
          if (begun === 'start') await operator.ask('DELETE', '/modules/payments');
        });
        expect(last.problem).toMatchObject({ detail: expect.stringContaining('everything was taken back') });
      }
      expect([childrenOf(home).length, openBy(home).includes(database)]).toEqual(before);
      expect((await follow(kerf, 'payments', { placement: to }, () => {})).report).toBeDefined();
    }
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });

  it('restores the leader tasks of the current replica when aborted while it waits for a saga', async () => {
    const { scene, kerf, load, operator } = await opened('modules:\n');
    const shop = await new Shop(kerf.url).join();
    const { body } = await shop.order('WAX', 1, { token: 'tok_slow', wait: 0 });
    const last = await follow(kerf, 'orders', { placement: 'http' }, async ({ begun }) => {
      if (begun === 'hand over') await operator.ask('DELETE', '/modules/orders');
    });
    expect(last.problem).toMatchObject({ detail: expect.stringContaining('orders stays in-process: at "hand over"') });
    await eventually(
      async () => (await shop.get<Order>(`/orders/${body.id}`)).body.status === 'confirmed',
      'the order to be confirmed',
    );
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });

  it('completes when the abort is too late, and the answer says that the module has moved', deep, async () => {
    const { scene, kerf, load, operator } = await opened('modules:\n  payments: http\n');
    const [pid] = await kerf.readyPidsOf('payments');
    let late: { status: number; body: { detail?: string } } | undefined;
    const last = await follow(kerf, 'payments', { placement: 'in-process' }, async ({ begun }) => {
      if (begun !== 'close') return;
      process.kill(pid!, 'SIGSTOP');
      late = await operator.ask('DELETE', '/modules/payments');
      process.kill(pid!, 'SIGCONT');
    });
    expect(late).toMatchObject({ status: 409, body: { detail: expect.stringContaining('payments has moved') } });
    expect(last.report).toMatchObject({ to: 'in-process' });
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });

  it('is rolled back immediately without a failed request', async () => {
    const { scene, kerf, load, operator } = await opened('modules:\n');
    const last = await follow(kerf, 'payments', { placement: 'http', mirror: { forMs: 60_000 } }, async (line) => {
      if (line.begun !== 'mirror') return;
      const { body } = await operator.ask('GET', '/modules/payments');
      expect(body).toMatchObject({ move: { module: 'payments', step: 'mirror' } });
      expect((await operator.ask('DELETE', '/modules/payments?by=ann')).status).toBe(200);
    });
    expect(last.problem).toMatchObject({
      code: 'move-failed',
      detail: expect.stringContaining('it was aborted by ann'),
    });
    expect(await load.stop()).toEqual([]);
    await scene.endsWell(kerf, load.orderAnswers);
  });

  it('stops cleanly when the system is stopped during it', deep, async () => {
    const { TOPOLOGY, scene, kerf, load } = await opened('modules:\n');
    let pid: number | undefined;
    const moving = follow(kerf, 'payments', { placement: 'http', mirror: { forMs: 60_000 } }, (line) => {
      pid ??= pidIn(line);
      if (line.begun === 'mirror') kerf.process.kill('SIGTERM');
    }).catch(() => {});
    expect(await kerf.exited()).toBe(0);
    await Promise.all([moving, load.stop()]);
    expect([pid && lives(pid), readFileSync(TOPOLOGY, 'utf8')]).toEqual([false, 'modules:\n']);
    const again = await scene.start();
    await scene.endsWell(again, load.orderAnswers);
  });
});
