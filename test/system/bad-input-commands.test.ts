import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort, Kerf, newDataDir } from '../harness/kerf.ts';
import { type Ended, Operator } from '../harness/operator.ts';

/** Expects a failure with a one-line error message. Returns the message. */
function failed({ code, stdout, stderr }: Ended, exitCode: 1 | 2): string {
  expect(stderr).toMatch(/^kerf: [^\n]+\n$/);
  expect([code, stdout]).toEqual([exitCode, '']);
  return stderr;
}

describe('commands with bad input against a running system', () => {
  let kerf: Kerf;
  let operator: Operator;
  let smsAt: string;
  beforeAll(async () => {
    smsAt = `http://127.0.0.1:${await freePort()}`;
    kerf = await Kerf.start({ env: { PARITY: 'strict', MODULE_SMS: smsAt } });
    operator = new Operator(kerf);
  });
  afterEach(async () => void (await operator.ask('PUT', '/faults', { faults: [] })));
  afterAll(async () => expect(await kerf.stop()).toBe(0));

  const faults = (...words: string[]) => operator.runInHost('faults', words);
  const edges = async () => {
    const { body } = await operator.ask<{ items: { caller: string; operation: string }[] }>('GET', '/faults');
    return body.items.map(({ caller, operation }) => `${caller} → ${operation}`);
  };

  it('topology: prints an address only once when it is also the placement', async () => {
    const { stdout } = await operator.runInHost('topology', []);
    expect(
      stdout
        .split('\n')
        .find((line) => line.startsWith('sms'))
        ?.split(/ +/),
    ).toEqual(['sms', 'away', smsAt]);
  });

  it('check: accepts no arguments', async () => {
    expect(failed(await operator.runInHost('check', ['nope']), 2)).toContain('unknown word "nope"; see npx kerf check');
    expect(failed(await operator.runInHost('check', ['--nope']), 2)).toContain("unknown option '--nope'");
  });

  const toPayments = ['put', 'orders', 'payments.*'];
  it.each<[words: string[], about: string, exitCode: 1 | 2]>([
    [
      [...toPayments, '--latency', '-1'],
      "'--latency <ms>' needs its value, and '-1' may be an option; write --latency=-1 if it is the value",
      2,
    ],
    [[...toPayments, '--latency=-1'], '--latency takes a number of whole milliseconds, 0 to 60000, not "-1"', 2],
    [[...toPayments, '--latency', '1.5'], '--latency takes a number of whole milliseconds, 0 to 60000, not "1.5"', 2],
    [[...toPayments, '--jitter', '60001'], '--jitter takes a number of whole milliseconds, 0 to 60000, not "60001"', 2],
    [[...toPayments, '--double', '--share', '1.1'], '--share takes a number, 0 to 1, not "1.1"', 2],
    [[...toPayments, '--double', '--for', '0'], '--for takes a number of seconds, 0.001 to 3600, not "0"', 2],
    [[...toPayments, '--double', '--for', '3601'], '--for takes a number of seconds, 0.001 to 3600, not "3601"', 2],
    [[...toPayments, '--lose', 'patience'], '--lose takes call or answer, not "patience"', 2],
    [[...toPayments, '--error', 'tired'], '--error "tired" is invalid: must be one of malformed-request, ', 1],
    [toPayments, 'say what is to happen: --latency, --jitter, --error, --lose, --double or --inside', 2],
    [
      [...toPayments, '--latency', '0'],
      'say what is to happen: --latency, --jitter, --error, --lose, --double or --inside',
      2,
    ],
    [[...toPayments, 'now', '--double'], 'unknown word "now"', 2],
    [
      ['put', 'billing', 'payments.*', '--double'],
      'the caller "billing" is invalid: there is no module "billing"; say *, ',
      1,
    ],
    [
      ['put', 'orders', 'payments.steal', '--double'],
      'the operation "payments.steal" is invalid: payments has no operati',
      1,
    ],
    [
      ['put', 'orders', 'payments', '--double'],
      'the operation "payments" is invalid: "payments" is no operation; say *, ',
      1,
    ],
    [
      ['put', 'board', 'payments.*', '--double'],
      'the operation "payments.*" is invalid: board does not call payments: the ',
      1,
    ],
    [['clear', 'orders'], 'say the caller and the operation', 2],
    [['clear', 'orders', 'payments.*', 'now'], 'unknown word "now"', 2],
    [['clear', 'orders', 'payments.*'], 'there is no fault on orders → payments.*; there are: * → mail.*', 1],
  ])(
    'faults: %j is refused with the option names of the command and changes nothing',
    async (words, about, exitCode) => {
      await operator.ask('PUT', '/faults', {
        faults: [{ caller: '*', operation: 'mail.*', double: true, forMs: 60_000 }],
      });
      expect(failed(await faults(...words), exitCode)).toContain(about);
      expect(await edges()).toEqual(['* → mail.*']);
    },
  );

  it.each<[words: string[], field: object]>([
    [['--latency', '60000', '--jitter', '0'], { latencyMs: 60_000, jitterMs: 0 }],
    [['--double', '--share', '0', '--for', '3600'], { double: true, share: 0 }],
    [['--lose', 'call', '--share', '1', '--for', '1.5'], { lose: 'call', share: 1 }],
  ])('faults: %j is taken', async (words, fields) => {
    const { code, stdout } = await faults(...toPayments, ...words, '--json');
    expect([code, JSON.parse(stdout).items]).toEqual([0, [expect.objectContaining(fields)]]);
  });

  it('faults: clears one fault and keeps the others', async () => {
    for (const operation of ['payments.*', 'inventory.*']) await faults('put', 'orders', operation, '--double');
    const cleared = await faults('clear', 'orders', 'payments.*');
    expect([cleared.code, cleared.stdout]).toEqual([0, expect.stringMatching(/^orders {2}→ {2}inventory\.\* /)]);
    expect(await edges()).toEqual(['orders → inventory.*']);
    expect((await faults('clear')).stdout).toMatch(/^there are no faults\n/);
  });

  it.each<[caller: string, operation: string, isTaken: boolean]>([
    ['orders', 'payments.authorize', true],
    ['orders', '*', true],
    ['orders', 'orders.*', true],
    ['gateway', 'payments.*', true],
    ['*', 'payments.authorize', true],
    ['payments', 'orders.*', false],
    ['recommendations', 'orders.place', false],
    ['notifications', 'members.*', false],
  ])('faults: that there is an edge from %s to %s is %s', async (caller, operation, isTaken) => {
    const faults = [{ caller, operation, double: true, forMs: 60_000 }];
    const { status, body } = await operator.ask<{ issues?: unknown[] }>('PUT', '/faults', { faults });
    expect(status).toBe(isTaken ? 200 : 422);
    const undeclared = { path: 'faults.0.operation', message: expect.stringContaining(`${caller} does not call `) };
    if (!isTaken) expect(body.issues).toEqual([undeclared]);
  });
});

it('start: reports that it stops because its parent process ended', async () => {
  const words = JSON.stringify(['scripts/kerf.mjs', 'start', '--json']);
  const code = `require('child_process').spawn(process.execPath, ${words}, { stdio: 'inherit' }); setInterval(() => {}, 1e6)`;
  const env = { PATH: process.env.PATH, TOPOLOGY: devNull, PORT: '0', INTERNAL_PORT: '0', DATA_DIR: newDataDir() };
  const between = spawn(process.execPath, ['-e', code], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  between.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  await once(createInterface({ input: between.stdout }), 'line');
  between.kill('SIGKILL');
  await once(between, 'close');
  expect(stderr).toBe(`kerf: the process that started this one (${between.pid}) has gone; stopping\n`);
});
