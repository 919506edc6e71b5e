import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, Kerf } from '../harness/kerf.ts';
import { Operator } from '../harness/operator.ts';

interface Found {
  readonly check: string;
  readonly level: string;
  readonly what: string;
}

let kerf: Kerf;
let operator: Operator;
beforeAll(async () => {
  kerf = await Kerf.start({ env: { MODULE_MAIL: 'http?instances=2', MODULE_PAYMENTS: 'grpc' } });
  operator = new Operator(kerf);
});
afterAll(async () => expect(await kerf.stop()).toBe(0));

async function findings(env: Record<string, string> = {}, words: string[] = []) {
  const { code, stdout, stderr } = await operator.runInHost('doctor', ['--json', ...words], {
    TOPOLOGY: '/dev/null',
    ...env,
  });
  expect(stderr).toBe('');
  return { code, stdout, ...(JSON.parse(stdout) as { ok: boolean; findings: Found[] }) };
}
const wrong = ({ findings: all }: { findings: Found[] }) => all.filter(({ level }) => level === 'error');

it('checks the machine and every process of a running system, and shows no secret', async () => {
  const result = await findings();
  expect(wrong(result)).toEqual([]);
  expect([result.code, result.ok]).toEqual([0, true]);
  const { what } = result.findings.find(({ check }) => check === 'processes')!;
  const { modules } = (await kerf.ops('/ops/topology')) as Kerf['announced'];
  for (const name of ['mail', 'payments'])
    for (const { pid } of modules.find((each) => each.name === name)!.instances)
      expect(what).toContain(`${name} (process ${pid})`);
  expect(what).toContain(`home (process ${kerf.process.pid})`);
  expect(result.stdout).not.toContain(readFileSync(`${kerf.dataDir}/operator-token`, 'utf8').trim());
});

it('prints a line for each finding, and what to do', async () => {
  const { code, stdout } = await operator.run('doctor', [], { TOPOLOGY: '/dev/null' });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok {7}readiness {5}every module can be reached, and stores data$/m);
  expect(stdout).toMatch(/^0 errors, \d+ warnings?, \d+ ok$/m);
});

it('finds a frozen process, of which another instance serves the module', async () => {
  const [pid] = await kerf.readyPidsOf('mail');
  process.kill(pid!, 'SIGSTOP');
  const unresponsive = async () =>
    ((await (await fetch(`${kerf.url}/readyz`)).json()) as { unresponsive: string[] }).unresponsive;
  await eventually(async () => (await unresponsive()).includes('mail'), 'the frozen process');
  const result = await findings();
  expect(result.code).toBe(1);
  expect(new Set(wrong(result).map(({ check }) => check))).toEqual(new Set(['processes', 'readiness']));
  expect(wrong(result).map(({ what }) => what)).toContain('mail has a process whose event loop does not turn');
  process.kill(pid!, 'SIGCONT');
  await eventually(async () => (await unresponsive()).length === 0, 'the process that goes on');
});

it('checks the running system even when the settings of the command are wrong', async () => {
  const result = await findings({ BUS: 'pigeon' });
  expect(result.code).toBe(1);
  expect(wrong(result)).toEqual([
    expect.objectContaining({ check: 'settings', what: expect.stringContaining('setting BUS') }),
  ]);
  expect(result.findings.map(({ check }) => check)).toContain('readiness');
});

it('checks only the machine when no system runs', async () => {
  const result = await findings({ INTERNAL_PORT: '1', PORT: '0' });
  expect(result.findings.map(({ check }) => check)).not.toContain('readiness');
  expect(result.findings.find(({ check }) => check === 'system')?.what).toContain('none runs at port 1');
});

it('says when another program listens in place of the system', async () => {
  const result = await findings({ INTERNAL_PORT: new URL(kerf.url).port });
  expect(wrong(result)).toEqual([
    expect.objectContaining({ check: 'system', what: expect.stringContaining('there is no such resource') }),
  ]);
});
