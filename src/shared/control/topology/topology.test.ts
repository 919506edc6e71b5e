import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { adapters, allAdapters } from '../../../../test/harness/adapters.ts';
import { command, contract, nothing, query } from '../../kernel/contract/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import type { Adapter, Broker, Wire } from '../../kernel/ports/index.ts';
import { Adapters } from '../adapter-list/index.ts';
import { listensAt } from './listening.ts';
import { placementText } from './placement.ts';
import { kernelSettings } from './settings.ts';
import { readTopology } from './topology.ts';

const one = { summary: 'Sample', input: nothing, output: nothing };
const modules = [
  { contract: contract('orders', { operations: { place: command(one) } }) },
  {
    contract: contract('payments', { operations: { find: query(one), authorize: command(one) } }),
    settings: z.object({ PAYMENTS_MOST: z.coerce.number().default(5) }),
  },
];
const folder = mkdtempSync(join(tmpdir(), 'kerf-topology-'));
const file = join(folder, 'topology.yaml');

type Env = Record<string, string>;

function read(yaml: string, env: Env = {}, only?: string[]) {
  writeFileSync(file, yaml);
  return readTopology(modules, only, { TOPOLOGY: file, DATA_DIR: folder, ...env }, adapters);
}

function refusalOf(yaml: string, env: Env = {}, only?: string[]): string {
  try {
    read(yaml, env, only);
  } catch (error) {
    expect(error).toBeInstanceOf(StartError);
    return (error as Error).message.replaceAll(file, 'topology.yaml');
  }
  throw new Error('it was taken');
}

/** Returns the message of the refusal, if any. */
function taken(yaml: string): string | undefined {
  try {
    read(yaml);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const paymentsAt = (yaml: string, env?: Env) => placementText(read(yaml, env).placements.get('payments')!);

describe('where a module runs', () => {
  it('is the home process where nothing is said', () => {
    const { placements, policies, homeAddress, only } = read('');
    expect([...placements.values()]).toEqual([{ kind: 'in-process' }, { kind: 'in-process' }]);
    expect([policies, homeAddress, only]).toEqual([{}, 'http://127.0.0.1:3001', undefined]);
  });

  it.each([
    ['http', 'http'],
    ['http?instances=2', 'http?instances=2'],
    ['{ via: grpc, instances: 3 }', 'grpc?instances=3'],
    ['{ via: http }', 'http'],
    ['[http://a:1, https://b:2]', 'http://a:1,https://b:2'],
    ['\n    - grpc://a:1\n    - grpcs://b:2', 'grpc://a:1,grpcs://b:2'],
    ['[amqp://user:secret@broker]', 'amqp://broker'],
    ['file:payments.addresses', 'file:payments.addresses'],
  ])('can be written as %s', (written, placement) => {
    expect(paymentsAt(`modules:\n  payments: ${written}`)).toBe(placement);
  });

  it('is what the environment says before the file, unless that is empty', () => {
    const yaml = 'modules: { payments: http }';
    expect(paymentsAt(yaml, { MODULE_PAYMENTS: 'grpc' })).toBe('grpc');
    expect(paymentsAt(yaml, { MODULE_PAYMENTS: '' })).toBe('http');
  });

  it.each<[string, Env, string]>([
    [
      'modules: { payments: nowhere }',
      {},
      'topology.yaml: modules.payments: "nowhere" is not a placement: there is no ',
    ],
    ['modules: { payments: "" }', {}, 'topology.yaml: modules.payments: "" is not a placement: nothing is written th'],
    [
      '',
      { MODULE_PAYMENTS: 'http?instances=65' },
      'MODULE_PAYMENTS: "http?instances=65" is not a placement: instances',
    ],
    ['modules: { payments: "http://a" }', {}, 'modules.payments: "http://a" is not a placement: the port is missing: '],
    ['modules: { payments: [http://a:1, grpc://b:2] }', {}, 'topology.yaml: modules.payments: "http://a:1,grpc://b:2"'],
    ['modules: { payments: [http://a:1, queue] }', {}, 'topology.yaml: modules.payments: "http://a:1,queue" is not'],
    [
      'modules: { payments: [http://a:1, 5] }',
      {},
      'topology.yaml: modules.payments.1: 5 is not an address; write such ',
    ],
    [
      'modules: { payments: [] }',
      {},
      'topology.yaml: modules.payments: the list is empty; write an address, or several',
    ],
    [
      'modules: { payments: { via: http, instances: 0 } }',
      {},
      'payments.instances: 0 is invalid; write a whole number',
    ],
    [
      'modules: { payments: { via: http, instances: 65 } }',
      {},
      'instances: 65 is invalid; write a whole number, 1 to ',
    ],
    ['modules: { payments: { via: http, instances: 2.5 } }', {}, 'instances: 2.5 is invalid; write a whole number, 1 '],
    ['modules: { payments: { via: http, instances: "3" } }', {}, 'instances: "3" is invalid; write a whole number, 1 '],
    ['modules: { payments: { via: http, count: 2 } }', {}, 'payments: "count" is unknown; known are via, instances'],
    ['modules: { payments: { instances: 2 } }', {}, 'modules.payments: via is missing; write such as { via: http, '],
    ['modules: { payments: { via: amqp } }', {}, 'modules.payments.via: "amqp" is invalid; write http, grpc or queue;'],
    ['modules: { payments: { via: http://a:1 } }', {}, 'via: "http://a:1" is invalid; write http, grpc or queue; an'],
    ['modules: { payments: 5 }', {}, 'topology.yaml: modules.payments: 5 is not a placement; write such as http, or {'],
    [
      'modules: { payments: true }',
      {},
      'topology.yaml: modules.payments: true is not a placement; write such as http, ',
    ],
    [
      'modules: { payments: }',
      {},
      'topology.yaml: modules.payments: nothing is written there; write such as http, or ',
    ],
    ['modules: { payments: 5 }', { MODULE_PAYMENTS: 'http' }, 'topology.yaml: modules.payments: 5 is not a placement;'],
    [
      'modules: [payments]',
      {},
      'topology.yaml: modules: must list modules, each with where it runs, such as payments:',
    ],
    ['modules: { payment: http }', {}, 'topology.yaml: there is no module "payment"; the modules are orders, payments'],
    ['', { MODULE_PAYMENT: 'http' }, 'unknown setting MODULE_PAYMENT in the environment; the modules are orders, '],
  ])('is refused as %s %j', (yaml, env, message) => {
    expect(refusalOf(yaml, env)).toContain(message);
  });

  it('is no secret, though it may hold one', () => {
    const wrong = 'amqp://user:hunter2@broker?x=1';
    for (const message of [
      refusalOf(`modules: { payments: "${wrong}" }`),
      refusalOf(`modules: { payments: ["${wrong}", "http://me:hunter2@a"] }`),
      refusalOf('', { MODULE_PAYMENTS: wrong }),
      refusalOf(`bus: ${wrong}`),
      refusalOf('', { BUS: wrong }),
      refusalOf(`bus: ${wrong}\n modules: {}`),
      refusalOf(`modules: { payments: { via: "${wrong}" } }`),
      refusalOf(`modules: { payments: { via: ["${wrong}"] } }`),
      refusalOf(`modules: { payments: { via: http, instances: "${wrong}" } }`),
      refusalOf(`modules: { payments: [{ at: "${wrong}" }] }`),
      refusalOf('', { HOME_ADDRESS: 'http://user:hunter2@home:1' }),
    ]) {
      expect(message).not.toContain('hunter2');
    }
  });

  it.each(['mitt', 'http', 'kafka://user:hunter2@127.0.0.1:9092'])(
    'is not behind a queue where the bus is %s, and it is said what to do',
    (bus) => {
      const cure = 'set BUS to amqp://… or nats://…, or place the module at such an address';
      const what = 'the placement of payments is queue, which goes over the broker of BUS, and BUS is';
      expect(refusalOf('modules: { payments: queue }', { BUS: bus })).toBe(`${what} ${bus.split(':')[0]}: ${cure}`);
    },
  );

  it('is behind a queue where the bus is a broker that has them, or at a broker of its own', () => {
    expect(paymentsAt('{ bus: nats://127.0.0.1:4222, modules: { payments: queue } }')).toBe('queue');
    expect(paymentsAt('modules: { payments: amqps://broker }')).toBe('amqps://broker');
  });
});

describe('a broker', () => {
  const openSession = () => Promise.reject(new Error('nobody connects'));
  const broker: Broker = {
    protocols: ['pulsar:'],
    example: 'pulsar://broker:6650',
    parameters: { tenant: /^[a-z]+$/ },
    events: { recipient: 'pulsar', openBus: openSession },
    openSession,
  };
  const readWith = (listed: readonly Adapter[], env: Env) =>
    readTopology(modules, undefined, { TOPOLOGY: '', DATA_DIR: folder, ...env }, new Adapters(listed));
  const withPulsar = (env: Env) => readWith([...allAdapters, { name: 'pulsar', broker }], env);

  it('needs nothing but its adapter', () => {
    const env = { BUS: 'pulsar://broker?namespace=shop&tenant=a', MODULE_PAYMENTS: 'pulsar://broker?tenant=b' };
    expect(placementText(withPulsar(env).placements.get('payments')!)).toBe('pulsar://broker?tenant=b');
    expect(() => withPulsar({ BUS: 'nonsense' })).toThrow(/ amqp:.*, nats:.*, pulsar:\/\/broker:6650, /);
    expect(() => withPulsar({ MODULE_PAYMENTS: 'queue' })).toThrow('amqp://… or nats://… or pulsar://…, or place');
    expect(() => withPulsar({ MODULE_PAYMENTS: 'ftp://a:1' })).toThrow(', nats, tls, pulsar; for another, add its');
    expect(() => withPulsar({ MODULE_PAYMENTS: 'pulsar://broker?tenant=1' })).toThrow('?namespace=shop, and tenant;');
  });

  it.each(['BUS', 'BUS_BEFORE'])('is refused in %s without its adapter, with the brokers that there are', (setting) => {
    expect(() => readWith(allAdapters, { [setting]: 'pulsar://me:hunter2@broker' })).toThrow(
      'pulsar://broker needs an adapter that carries events over pulsar://, and there is none: add one to "adapters" in src/app.ts, or choose amqp://, amqps://, kafka://, ',
    );
    expect(() => readWith([], { [setting]: 'nonsense' })).toThrow(
      /its value is invalid: must be (mitt or http|a broker)/,
    );
  });

  it('takes no parameters of another', () => {
    for (const name of ['partitions', 'constructor'])
      expect(() => readWith(allAdapters, { BUS: `amqp://broker?${name}=3` })).toThrow(
        'BUS (environment): its value is',
      );
    expect(readWith(allAdapters, { BUS: 'kafka://broker?partitions=3' }).settings.BUS).toContain('partitions');
  });
});

describe('a wire', () => {
  const never = () => Promise.reject(new Error('nobody calls'));
  const wire: Wire = {
    protocols: ['quic:', 'quics:'],
    connect: () => ({ call: never, close: async () => {} }),
    listener: { setting: 'QUIC_PORT', about: 'the QUIC listener', open: never },
  };
  const withQuic = (env: Env, only?: string[]) => {
    const listed = new Adapters([...allAdapters, { name: 'quic', wire }]);
    return readTopology(modules, only, { TOPOLOGY: '', DATA_DIR: folder, ...env }, listed);
  };

  it('needs nothing but its adapter to be called at addresses', () => {
    for (const at of ['quic://a:1,quics://b:2', 'quics+dns://payments:1', 'quic+srv://_payments._tcp'])
      expect(placementText(withQuic({ MODULE_PAYMENTS: at }).placements.get('payments')!)).toBe(at);
    const mixed = 'grpc://a:1,quic://b:1';
    expect(() => withQuic({ MODULE_PAYMENTS: mixed })).toThrow('the addresses are by grpc and by quic, and a module');
    expect(() => withQuic({ MODULE_PAYMENTS: 'a:1' })).toThrow('http://a:1, or grpc://a:1, or quic://a:1; write such');
    expect(() => withQuic({ MODULE_PAYMENTS: 'ftp://a:1' })).toThrow(
      'there are http, https, grpc, grpcs, quic, quics,',
    );
  });

  it('has a setting for its port, and listens at the address of a module that runs alone', () => {
    expect(listensAt(withQuic({ QUIC_PORT: '4106' }), 'QUIC_PORT')).toMatchObject({ port: 4106 });
    expect(() => withQuic({ QUIC_PORT: 'x' })).toThrow('setting QUIC_PORT (environment): "x" is invalid');
    const alone = withQuic({ MODULE_PAYMENTS: 'quic://payments:4105' }, ['payments']);
    expect(listensAt(alone, 'QUIC_PORT')).toMatchObject({ host: 'payments', port: 4105 });
    expect(['GRPC_PORT', 'INTERNAL_PORT'].map((setting) => listensAt(alone, setting).port)).toEqual([0, 0]);
  });
});

describe('the policies of calls', () => {
  it('are read', () => {
    const yaml =
      'policies: { payments: { attempts: 2, breaker: { openMs: 500 }, operations: { find: { attempts: 1 } } } }';
    expect(read(yaml).policies).toEqual({
      payments: { attempts: 2, breaker: { openMs: 500 }, operations: { find: { attempts: 1 } } },
    });
  });

  it.each([
    ['{ payment: {} }', 'policies: there is no "payment"; there are orders, payments'],
    [
      '{ payments: { operations: { finds: {} } } }',
      'policies.payments.operations: there is no "finds"; there are find, ',
    ],
    ['{ payments: { retries: 2 } }', 'policies.payments: "retries" is unknown; known are timeoutMs, attempts, '],
    ['{ payments: { attempts: 0 } }', 'policies.payments.attempts: must be a whole number, the first attempt included'],
    ['{ payments: { breaker: { openMs: 5 } } }', 'policies.payments.breaker.openMs: must be a whole number of milli'],
    ['{ payments: { operations: { find: { queue: 1 } } } }', 'policies.payments.operations.find: "queue" is unknown'],
    ['[payments]', 'policies: must list modules, each with its policies'],
  ])('are refused as %s', (policies, message) => {
    expect(refusalOf(`policies: ${policies}`)).toContain(`topology.yaml: ${message}`);
  });
});

describe('the settings', () => {
  it('come from the environment before the file, for the kernel and for modules', () => {
    const yaml = 'settings: { PORT: 1, PAYMENTS_MOST: 6, LOG_LEVEL: error }';
    const topology = read(yaml, { PORT: '2', LOG_LEVEL: '' });
    expect([topology.settings.PORT, topology.settings.LOG_LEVEL]).toEqual([2, 'error']);
    expect([topology.settingsOf('payments'), topology.settingsOf('orders')]).toEqual([{ PAYMENTS_MOST: 6 }, {}]);
  });

  it('say where the home process is: by TLS where it has a certificate, or anywhere else', () => {
    expect(read('', { INTERNAL_PORT: '4000' }).homeAddress).toBe('http://127.0.0.1:4000');
    expect(read('', { INTERNAL_TLS_CERT: 'cert.pem' }).homeAddress).toBe('https://127.0.0.1:3001');
    expect(read('', { HOME_ADDRESS: 'http://home:1/' }).homeAddress).toBe('http://home:1');
    expect(read('', { HOME_ADDRESS: 'http://Home:80' }).homeAddress).toBe('http://home:80');
  });

  it('are fast about parity in production, by the environment that is given, unless something is said', () => {
    const parity = (yaml: string, env: Env) => read(yaml, env).settings.PARITY;
    const strict = 'settings: { PARITY: strict }';
    expect([parity('', {}), parity('', { NODE_ENV: 'test' })]).toEqual(['strict', 'strict']);
    expect([
      parity('', { NODE_ENV: 'production' }),
      parity('settings: { PORT: 1 }', { NODE_ENV: 'production' }),
    ]).toEqual(['fast', 'fast']);
    expect(parity('settings: { PARITY: }', { NODE_ENV: 'production' })).toBe('fast');
    expect(parity(strict, { NODE_ENV: 'production' })).toBe('strict');
    expect(parity('', { NODE_ENV: 'production', PARITY: 'strict' })).toBe('strict');
  });

  it('sample every trace, and in production a tenth, unless something is said', () => {
    const ratio = (yaml: string, env: Env) => read(yaml, env).settings.OTEL_TRACES_SAMPLER_ARG;
    const half = 'settings: { OTEL_TRACES_SAMPLER_ARG: 0.5 }';
    expect([ratio('', {}), ratio(half, {}), ratio('', { NODE_ENV: 'production' })]).toEqual([1, 0.5, 0.1]);
    expect(ratio(half, { NODE_ENV: 'production' })).toBe(0.5);
    expect(ratio(half, { NODE_ENV: 'production', OTEL_TRACES_SAMPLER_ARG: '1' })).toBe(1);
  });

  it('are known to be said by the environment that was given, an empty text not being said', () => {
    const { saidByEnvironment } = read('settings: { PORT: 1 }', { INTERNAL_PORT: '4000', GRPC_PORT: '' });
    expect(['INTERNAL_PORT', 'GRPC_PORT', 'PORT', 'PATH'].map(saidByEnvironment)).toEqual([true, false, false, false]);
  });

  it('are no more than switches where they are', () => {
    expect(read('settings: { INTERNAL_TLS_MUTUAL: true }').settings.INTERNAL_TLS_MUTUAL).toBe(true);
    expect(read('', { INTERNAL_TLS_MUTUAL: 'false' }).settings.INTERNAL_TLS_MUTUAL).toBe(false);
    expect(refusalOf('', { INTERNAL_TLS_MUTUAL: 'perhaps' })).toContain('must be true or false');
    const taken = (text: string) => read('', { INTERNAL_TLS_MUTUAL: text }).settings.INTERNAL_TLS_MUTUAL;
    expect(['yes', 'on', '1', 'TRUE'].map(taken)).toEqual([true, true, true, true]);
    expect(['no', 'off', '0', 'False'].map(taken)).toEqual([false, false, false, false]);
  });

  it.each<[string, Env, string]>([
    ['settings: { PORTS: 1 }', {}, 'topology.yaml: unknown setting "PORTS"; known are PORT, HOST, '],
    [
      '',
      { PAYMENTS_LEAST: '1' },
      'unknown setting PAYMENTS_LEAST in the environment; settings that begin so: PAYMENTS_MOST',
    ],
    ['settings: { PORT: 70000 }', {}, 'setting PORT (topology.yaml): 70000 is invalid: must be a port, 0 to 65535'],
    ['', { GRPC_PORT: 'x' }, 'setting GRPC_PORT (environment): "x" is invalid: must be a port, 0 to 65535'],
    ['', { PAYMENTS_MOST: 'x' }, 'setting PAYMENTS_MOST (environment): "x" is invalid: '],
    [
      '',
      { INTERNAL_TLS_KEY: '', HOME_ADDRESS: 'home' },
      'HOME_ADDRESS (environment): "home" is invalid: must be proto',
    ],
    ['', { HOME_ADDRESS: 'http://home' }, '"http://home" is invalid: must be protocol, host and port, such as http://'],
    ['', { HOME_ADDRESS: 'http://home:1/x' }, 'is invalid: must be protocol, host and port, such as http://127.0.0.1'],
    ['', { HOME_ADDRESS: 'grpc://home:1' }, 'is invalid: must be protocol, host and port, such as http://127.0.0.1:'],
    ['', { PARITY: 'lax' }, 'setting PARITY (environment): "lax" is invalid: must be strict or fast'],
    ['', { LOG_LEVEL: 'loud' }, '"loud" is invalid: must be debug, info, warn, error or silent'],
    ['', { LOG_LEVEL: 'info,debug' }, '"info,debug" is invalid: must be debug, info, warn, error or silent; for a'],
    ['', { LOG_LEVEL: 'info,billing=debug' }, 'setting LOG_LEVEL: there is no log "billing"; there are gateway, home,'],
    ['', { LOG_FORMAT: 'xml' }, 'setting LOG_FORMAT (environment): "xml" is invalid: must be json or pretty'],
    [
      '',
      { CORS_ORIGINS: 'shop.example.com' },
      'must be origins, separated by commas, such as https://shop.example.com',
    ],
    ['', { CORS_ORIGINS: 'https://shop.example.com/' }, 'without a path or a slash at the end'],
    ['', { CORS_ORIGINS: 'https://*.example.com' }, 'is invalid: must be origins'],
    ['', { CORS_ORIGINS: '*,http://a.example' }, 'setting CORS_ORIGINS: * stands for all origins; write it alone'],
    [
      '',
      { CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' },
      'CORS_CREDENTIALS: no browser takes credentials with *; list',
    ],
    ['', { CORS_EXPOSED_HEADERS: 'a b' }, '"a b" is invalid: must be names of headers, separated by commas'],
    ['', { CORS_MAX_AGE_S: '-1' }, '"-1" is invalid: must be a whole number of seconds, 0 to 86400'],
    ['', { RATE_LIMIT_PER_MINUTE: '-1' }, '"-1" is invalid: must be a whole number of requests, 0 or more'],
    ['', { TRUSTED_PROXIES: 'localhost' }, 'is invalid: must be addresses and CIDR blocks, separated by commas'],
    ['', { TRUSTED_PROXIES: '0.0.0.0/0' }, 'is invalid: must be addresses and CIDR blocks, separated by commas'],
    ['', { REQUEST_TIMEOUT_MS: '1.5' }, '"1.5" is invalid: must be a whole number of milliseconds, 100 to 60000'],
    ['settings: { REQUEST_TIMEOUT_MS: "" }', {}, '"" is invalid: must be a whole number of milliseconds, 100 to 6000'],
    ['settings: { PORT: true }', {}, 'setting PORT (topology.yaml): true is invalid: must be a port, 0 to 65535'],
    ['settings: { HOST: 5 }', {}, 'setting HOST (topology.yaml): 5 is invalid: must be a text'],
    [
      'settings: { OPERATOR_TOKEN: hush }',
      {},
      'setting OPERATOR_TOKEN (topology.yaml): its value is invalid: must be ',
    ],
    ['', { PAYMENTS_MOST: 'x' }, 'setting PAYMENTS_MOST (environment): "x" is invalid: must be a number'],
    ['settings: [PORT]', {}, 'topology.yaml: settings: must list settings, each with its value, such as PORT: 3000'],
  ])('are refused as %s %j', (yaml, env, message) => {
    expect(refusalOf(yaml, env)).toContain(message);
  });

  it.each(Object.keys(kernelSettings.shape))('say in plain words what is wrong with %s', (name) => {
    for (const written of ['[x]', '{ x: y }', '1.5', '-1', '1e400', 'true', '""', "' '", 'x', '"x\\0"']) {
      const message = taken(`settings: { ${name}: ${written} }`) ?? '';
      expect(message, written).not.toMatch(/expected|received|Invalid|Too |undefined|\[object/);
      if (message && !message.includes(' is not a ')) expect(message, written).toMatch(/is invalid: (must|is) /);
    }
  });
});

describe('the file', () => {
  it('need not be there, unless it is named', () => {
    const env = { TOPOLOGY: join(folder, 'none.yaml') };
    expect(() => readTopology(modules, undefined, env, adapters)).toThrow(
      'none.yaml (setting TOPOLOGY) is not there; create it',
    );
    const home = process.cwd();
    process.chdir(mkdtempSync(join(folder, 'empty-')));
    try {
      const usual = readTopology(
        modules,
        ['orders'],
        { TOPOLOGY: '', DATA_DIR: folder, MODULE_ORDERS: 'http' },
        adapters,
      );
      expect(usual.only).toEqual(['orders']);
    } finally {
      process.chdir(home);
    }
  });

  it.each([
    ['a: [', 'topology.yaml (setting TOPOLOGY) is not well-formed YAML: '],
    ['modes: {}', 'topology.yaml: "modes" is unknown; known are bus, modules, policies, settings'],
    [
      '- payments',
      'topology.yaml: must say any of bus, modules, policies, settings, each with a colon after it, such as',
    ],
    [
      'payments',
      'topology.yaml: must say any of bus, modules, policies, settings, each with a colon after it, such as ',
    ],
    ['bus: 5', 'topology.yaml: bus: must be a text'],
  ])('is refused as %s', (yaml, message) => {
    expect(refusalOf(yaml)).toContain(message);
  });

  it('has nothing to say of a module to run alone that there is not', () => {
    expect(refusalOf('', {}, ['payment'])).toContain('--only: there is no module "payment"; the modules are orders, ');
  });

  it.each(['http', 'grpc?instances=2', 'http://a:1', 'http+dns://a:1', 'file:addresses', 'amqp://broker'])(
    'may have a module run alone that is placed as %s',
    (placement) => {
      expect(read('', { MODULE_PAYMENTS: placement }, ['payments']).only).toEqual(['payments']);
    },
  );

  it('has no module run alone that the home process runs', () => {
    const env = { MODULE_ORDERS: 'http' };
    expect(refusalOf('', env, ['orders', 'payments'])).toBe(
      '--only: payments is placed in-process, so the home process runs it and no caller would find it here; give its address to every process: payments: http://127.0.0.1:4105 in topology.yaml, or MODULE_PAYMENTS=http://127.0.0.1:4105',
    );
  });
});

describe('what the modules are called', () => {
  const [orders, payments] = modules as [(typeof modules)[0], (typeof modules)[1]];
  const start = (listed: Parameters<typeof readTopology>[0]) => () =>
    readTopology(listed, undefined, { TOPOLOGY: file, DATA_DIR: folder }, adapters);

  it('is one name for each, in all its files', () => {
    writeFileSync(file, '');
    expect(start([orders, { ...payments, about: { name: 'payments' } }])).not.toThrow();
    expect(start([orders, { ...payments, about: { name: 'refunds' } }])).toThrow(
      new StartError(
        'a module is "refunds" in its module.json and "payments" in its contract.ts: give it one name in both, and in its routes.ts',
      ),
    );
  });

  it('is no name of another', () => {
    expect(start([orders, payments, { ...orders }])).toThrow(
      new StartError('src/app.ts lists two modules named "orders"'),
    );
  });
});
