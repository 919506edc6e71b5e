import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Scene } from '../../crash/scene.ts';
import type { Announced } from '../../harness/kerf.ts';
import { Operator } from '../../harness/operator.ts';
import { Shop } from '../../harness/shop.ts';
import { topologyFile } from '../../harness/topology-file.ts';

interface Problem {
  readonly code: string;
  readonly detail?: string;
  readonly issues?: { path: string; message: string }[];
}

async function placements(operator: Operator): Promise<Record<string, string>> {
  const { body } = await operator.ask<Announced>('GET', '/topology');
  return Object.fromEntries(body.modules.map(({ name, placement }) => [name, placement]));
}

const put = (operator: Operator, module: string, body: unknown) =>
  operator.ask<Problem>('PUT', `/modules/${module}`, body);

describe('an impossible relocation', () => {
  it('is refused with the reason, and changes nothing', async () => {
    const text = 'modules:\n  mail: http\n  sms: http://127.0.0.1:1\n';
    const TOPOLOGY = topologyFile(text);
    const kerf = await new Scene({ TOPOLOGY }).start();
    const operator = new Operator(kerf);
    const before = await placements(operator);
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const http = { placement: 'http' };
    const cases: [string, unknown, number, string | RegExp][] = [
      ['nope', http, 404, 'there is no module "nope"; there are members,'],
      ['mail', http, 409, 'mail is already placed http'],
      ['payments', { placement: 'in-process' }, 409, 'payments is already placed in-process'],
      ['payments', { placement: 'http://127.0.0.1:4105' }, 409, 'Kerf starts no processes at http://127.0.0.1:4105'],
      ['sms', http, 409, 'sms runs at http://127.0.0.1:1, where Kerf did not start it'],
      [
        'payments',
        { placement: 'queue' },
        409,
        /^queue goes over the broker of BUS, and BUS is mitt; start Kerf with BUS as amqp:/,
      ],
      ['payments', { placement: `http?port=${port}` }, 409, `port ${port} is in use`],
      ['payments', { placement: 'http?artifact=nowhere.js' }, 409, 'artifact nowhere.js is not a file'],
      [
        'mail',
        { placement: 'in-process', canary: {} },
        409,
        'canary and mirror need replicas in processes of their own',
      ],
    ];
    for (const [module, order, status, detail] of cases) {
      const answer = await put(operator, module, order);
      expect([answer.status, answer.body.detail]).toEqual([
        status,
        typeof detail === 'string' ? expect.stringContaining(detail) : expect.stringMatching(detail),
      ]);
    }
    const inputs: [unknown, string, RegExp][] = [
      [{ placement: 'htp' }, 'placement', /^"htp" is not a placement: /],
      [{}, 'placement', /^is missing; say where the module is to run, such as \{"placement": "http"\}$/],
      [{ ...http, nonsense: 1 }, 'nonsense', /^unknown field$/],
      [{ ...http, canary: { share: 2 } }, 'canary.share', /^must be at most 1$/],
    ];
    for (const [order, path, message] of inputs) {
      const answer = await put(operator, 'payments', order);
      expect([answer.status, answer.body.issues?.[0]]).toMatchObject([
        422,
        { path, message: expect.stringMatching(message) },
      ]);
    }
    expect((await put(operator, 'payments', '{')).status).toBe(400);
    expect((await put(operator.as('another-token-of-some-length'), 'payments', http)).status).toBe(401);
    expect((await operator.ask('DELETE', '/modules/payments')).status).toBe(404);
    expect([await placements(operator), readFileSync(TOPOLOGY, 'utf8')]).toEqual([before, text]);
    expect((await (await new Shop(kerf.url).join()).order('WAX')).status).toBe(201);
  });

  it('is refused when it cannot be persisted, unless it is temporary', async () => {
    const TOPOLOGY = topologyFile();
    const kerf = await new Scene({ TOPOLOGY, MODULE_PAYMENTS: 'in-process' }).start();
    const operator = new Operator(kerf);
    const { status, body } = await put(operator, 'payments', { placement: 'http' });
    expect([status, body.detail]).toEqual([
      409,
      expect.stringContaining('MODULE_PAYMENTS in the environment would win'),
    ]);
    expect((await put(operator, 'payments', { placement: 'http', forNow: true })).body).toMatchObject({
      persisted: false,
    });
    rmSync(dirname(TOPOLOGY), { recursive: true });
    const gone = await put(operator, 'mail', { placement: 'http' });
    expect([gone.status, gone.body.detail]).toEqual([
      409,
      expect.stringMatching(/topology\.yaml cannot be written: ENOENT/),
    ]);
  });

  it('is refused when the topology is not a file', async () => {
    const kerf = await new Scene({ TOPOLOGY: devNull }).start();
    const { body } = await put(new Operator(kerf), 'payments', { placement: 'http' });
    expect(body).toMatchObject({ code: 'conflict', detail: expect.stringContaining(`${devNull} is not a file`) });
  });

  it('is refused by a module process, and during another relocation, which the error names', async () => {
    const kerf = await new Scene().start();
    const operator = new Operator(kerf);
    const one = put(operator, 'payments', { placement: 'http', forNow: true, by: 'ann@work' });
    await operator.ask('GET', '/modules/payments');
    const other = await put(operator, 'mail', { placement: 'http', forNow: true, by: 'ben@home' });
    expect([other.status, other.body.detail]).toEqual([
      409,
      expect.stringMatching(
        /^payments is being moved to http by ann@work since .* \(now: \w.*\); one module moves at a time$/,
      ),
    ]);
    expect((await one).status).toBe(200);
    const { modules } = (await operator.ask<Announced>('GET', '/topology')).body;
    const internal = modules.find(({ name }) => name === 'payments')?.instances[0]?.address ?? '';
    const token = readFileSync(join(kerf.dataDir, 'operator-token'), 'utf8').trim();
    const service = new Operator({ announced: { ...kerf.announced, internal }, dataDir: kerf.dataDir }, token);
    const refused = await put(service, 'payments', { placement: 'in-process', forNow: true });
    expect([refused.status, refused.body.detail]).toEqual([
      401,
      'a service takes no operator token; ask the home process',
    ]);
  });
});
