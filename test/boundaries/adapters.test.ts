import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlParts } from '../../.dependency-cruiser.js';
import { wireName } from '../../src/shared/control/adapter-list/index.ts';
import { vias } from '../../src/shared/control/admin-contract/index.ts';
import { ManualClock } from '../../src/shared/kernel/context/manual.ts';
import { subscriptionMap } from '../../src/shared/kernel/events/bus.ts';
import { silentLog } from '../../src/shared/kernel/telemetry/index.ts';
import { adapters } from '../harness/adapters.ts';
import { deep } from '../harness/deep.ts';
import { Kerf, startAndFail } from '../harness/kerf.ts';
import { Copy } from './copy.ts';

/** Adapters that every start needs, and the missing function that the error names. */
const needed: Readonly<Record<string, string>> = {
  sqlite: 'an adapter that opens databases',
  http: 'an adapter with an internal listener',
};
const optional = readdirSync('src/shared/adapters').filter((name) => !Object.hasOwn(needed, name));

/** Settings that need an adapter, and the error of a start without it. */
const users: readonly (readonly [name: string, env: Record<string, string>, said: string])[] = [
  ['grpc', { MODULE_SMS: 'grpc' }, 'the placement of sms needs an adapter that listens for calls'],
  [
    'grpc',
    { MODULE_SMS: 'grpc://127.0.0.1:9' },
    'MODULE_SMS: "grpc://127.0.0.1:9" is not a placement: "grpc" is not a protocol that a module is called by',
  ],
  ['dns', { MODULE_SMS: 'http+dns://sms:80' }, 'the placement of sms needs an adapter that finds instances by name'],
  [
    'zipkin',
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    'OTEL_TRACES_EXPORTER needs an adapter that exports spans by "zipkin"',
  ],
  ['otlp', { OTEL_TRACES_EXPORTER: 'otlp' }, 'OTEL_TRACES_EXPORTER needs an adapter that exports spans by "otlp"'],
  ['otlp', { OTEL_LOGS_EXPORTER: 'otlp' }, 'OTEL_LOGS_EXPORTER needs an adapter that exports log lines by "otlp"'],
  ['file', { MODULE_SMS: 'file:sms' }, 'the placement of sms needs an adapter that finds instances in a file'],
  ['kafka', { BUS: 'kafka://127.0.0.1:9' }, 'kafka://127.0.0.1:9 needs an adapter that carries events over kafka://'],
  ['nats', { BUS: 'nats://127.0.0.1:9' }, 'nats://127.0.0.1:9 needs an adapter that carries events over nats://'],
  [
    'rabbitmq',
    { MODULE_SMS: 'amqp://user:secret@127.0.0.1:9' },
    'MODULE_SMS: "amqp://127.0.0.1:9" is not a placement: "amqp" is not a protocol that a module is called by',
  ],
];

it('the words of placements are the wires of the adapters, and the queue', () => {
  expect(vias).toEqual([...adapters.wires.map(wireName), 'queue']);
  // npx kerf eject reads addresses by these words, without adapters.
  for (const { protocols } of adapters.wires) expect(protocols[1]).toBe(protocols[0].replace(':', 's:'));
});

describe('the brokers of the adapters', () => {
  const clock = new ManualClock();
  const nobody = subscriptionMap([]);
  const brokers = adapters.brokers.map((broker) => [broker.example, broker] as const);

  it.each(brokers)('give a complete URL as an example: %s', (example, { protocols, openSession }) => {
    expect(protocols).toContain(new URL(example).protocol);
    for (const protocol of protocols) {
      const url = `${protocol}//127.0.0.1:9`;
      expect([adapters.isBrokerUrl(url), adapters.carriesCalls(url)]).toEqual([true, openSession !== undefined]);
    }
  });

  it.each(brokers)('are named alike by their bus and in an outbox: %s', async (example, { events }) => {
    const bus = await events!.openBus({ url: new URL(example), subscriptions: nobody, clock, log: silentLog });
    expect(bus.recipients('shop.sold.v1')).toEqual([events!.recipient]);
    await bus.close();
  });

  it('share no protocol and no recipient', () => {
    const names = adapters.brokers.flatMap(({ protocols, events }) => [...protocols, events!.recipient]);
    expect(names).toEqual([...new Set(names)]);
  });
});

/** An adapter of a broker that keeps nothing. */
const pulsar = `import type { Adapter } from '../../kernel/ports/index.ts';

export const pulsar = (): Adapter => ({
  name: 'pulsar',
  broker: {
    protocols: ['pulsar:'],
    example: 'pulsar://broker:6650',
    parameters: { tenant: /^[a-z]+$/ },
    events: {
      recipient: 'pulsar',
      openBus: async () => ({
        recipients: () => ['pulsar'],
        deliver: async () => {},
        subscribe: async () => async () => {},
        backlog: async () => 0,
        close: async () => {},
      }),
    },
  },
});
`;

describe('an adapter is a folder, and a line in src/app.ts', () => {
  const copies = new Map<string, Copy>();
  const least = new Copy();
  const programs = new Map<string, string>();
  /** Builds the program without an adapter, once. */
  const programWithout = (name: string) => {
    if (!programs.has(name)) {
      const copy = new Copy();
      copies.set(name, copy);
      copy.removeListed('adapters', name);
      programs.set(name, copy.build());
    }
    return programs.get(name)!;
  };
  const scratch = mkdtempSync(join(tmpdir(), 'kerf-adapters-'));
  const folder = () => ({ DATA_DIR: mkdtempSync(join(scratch, 'data-')) });
  beforeAll(() => {
    for (const name of optional) least.removeListed('adapters', name);
    programs.set('all optional adapters', least.build());
  });
  afterAll(() => {
    for (const copy of [...copies.values(), least]) copy.delete();
    rmSync(scratch, { recursive: true, force: true });
  });

  it('without all optional adapters and parts of control, the types and the boundaries of the rest hold', () => {
    for (const name of controlParts) least.removeListed('control', name);
    expect(least.typeErrors()).toBe('');
    expect(least.report().violations).toEqual([]);
  });

  const startsAndServes = async (name: string) => {
    const kerf = await Kerf.start({ program: programWithout(name) });
    expect((await fetch(`${kerf.url}/readyz`)).status).toBe(200);
    expect(await kerf.stop()).toBe(0);
  };
  const title = 'without %s, the system starts and serves';
  it.each(['all optional adapters'])(title, startsAndServes);
  it.each(optional)(title, deep, startsAndServes);

  it('with a new broker, the rest stays as it is, and the system starts and serves', deep, async () => {
    const copy = new Copy();
    copies.set('pulsar', copy);
    copy.addAdapter('pulsar', pulsar);
    expect(copy.typeErrors()).toBe('');
    expect(copy.report().violations).toEqual([]);
    const kerf = await Kerf.start({ program: copy.build(), env: { BUS: 'pulsar://broker?namespace=shop&tenant=a' } });
    expect((await fetch(`${kerf.url}/readyz`)).status).toBe(200);
    expect(await kerf.stop()).toBe(0);
  });

  const saysWhatItNeeds = async (program: string, env: Record<string, string>, said: string) => {
    const { code, stderr } = await startAndFail({ ...env, ...folder() }, [], program);
    const start = `kerf: ${said}`;
    expect([code, stderr.slice(0, start.length)]).toEqual([1, start]);
    expect(stderr).toMatch(/add (one|its adapter) to "adapters" in src\/app\.ts[^\n]*\n$/);
  };
  it.each(users)('without all optional adapters, a start that needs %s reports it: %j', (_, env, said) =>
    saysWhatItNeeds(programWithout('all optional adapters'), env, said),
  );
  it.each(users)('without %s, a start that needs it reports it: %j', deep, (name, env, said) =>
    saysWhatItNeeds(programWithout(name), env, said),
  );

  it.each(Object.entries(needed))('without %s, a start reports the missing part', deep, async (name, part) => {
    const { code, stderr } = await startAndFail(folder(), [], programWithout(name));
    expect([code, stderr.trim()]).toEqual([1, expect.stringMatching(`needs ${part}, and there is none`)]);
  });
});
