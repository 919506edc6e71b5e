import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { adapters } from '../../../../test/harness/adapters.ts';
import { Authority } from '../../../../test/harness/authority.ts';
import { kernelSettings, type Placement, portSettings, readPlacement, type Topology } from '../topology/index.ts';
import { warningsOf } from './warnings.ts';

type Env = Record<string, string>;

function topologyOf(placement: string, env: Env, only: string[] | undefined = ['payments']): Topology {
  return {
    settings: kernelSettings.parse(env),
    ports: portSettings(adapters).parse(env),
    adapters,
    placements: new Map([['payments', readPlacement(placement, adapters) as Placement]]),
    policies: {},
    homeAddress: 'http://127.0.0.1:3001',
    only,
    saidByEnvironment: (name) => name in env,
    settingsOf: () => ({}),
  };
}

const warnings = (placement: string, env: Env = {}, only?: string[]) =>
  warningsOf({ topology: topologyOf(placement, env, only), tls: {} }, new Date());

describe('the listener of a separately started module', () => {
  it.each<[placement: string, env: Env]>([
    ['http://127.0.0.1:4105', {}],
    ['http://127.0.0.1:4105', { INTERNAL_PORT: '4105' }],
    ['http://payments:80', { INTERNAL_PORT: '80', INTERNAL_HOST: '0.0.0.0' }],
    ['http://a:4105,http://b:4106', { INTERNAL_PORT: '4106' }],
    ['grpc://127.0.0.1:4105', { INTERNAL_PORT: '4000' }],
    ['grpc://a:4105,grpc://b:4105', { GRPC_PORT: '4105' }],
    ['http+dns://payments:4105', { INTERNAL_PORT: '4105' }],
    ['http+srv://_payments._tcp.internal', { INTERNAL_PORT: '4000' }],
    ['file:addresses', { INTERNAL_PORT: '4000' }],
    ['amqp://broker', { INTERNAL_PORT: '4000' }],
  ])('causes no warning for %s with %j', (placement, env) => {
    expect(warnings(placement, env)).toEqual([]);
  });

  it.each<[placement: string, env: Env, warning: string]>([
    [
      'http',
      {},
      'payments is placed http: the home process starts a process for it and calls that one, not this one; place it',
    ],
    [
      'grpc?instances=2',
      { INTERNAL_PORT: '0' },
      'payments is placed grpc?instances=2: the home process starts a process for it',
    ],
    [
      'http://127.0.0.1:4105',
      { INTERNAL_PORT: '4000' },
      'payments listens on port 4000, and the others look for it at http://127.0.0.1:4105: set INTERNAL_PORT to 4105, unless something between them leads here',
    ],
    [
      'http://a:4105',
      { INTERNAL_PORT: '0' },
      'payments listens on a free port, and the others look for it at http://a:',
    ],
    [
      'http://a:4105,http://b:4106',
      {},
      'listens on port 3001, and the others look for it at http://a:4105,http://b:4106',
    ],
    [
      'http://a:4105,http://b:4106',
      {},
      ': set INTERNAL_PORT to 4105 or 4106, unless something between them leads here',
    ],
    [
      'http+dns://payments:4105',
      {},
      'listens on port 3001, and the others look for it at http+dns://payments:4105: set ',
    ],
    [
      'grpc://127.0.0.1:4105',
      { GRPC_PORT: '4000' },
      'listens on port 4000, and the others look for it at grpc://127.0.0',
    ],
    [
      'grpc://a:4105,grpc://b:4105',
      {},
      'payments listens on a free port, and the others look for it at grpc://a:4105,grp',
    ],
  ])('causes a warning when it does not match %s, with %j', (placement, env, warning) => {
    const [said, ...more] = warnings(placement, env);
    expect([said, more]).toEqual([expect.stringContaining(warning), []]);
  });

  it('causes no warning in the home process', () => {
    const topology = { ...topologyOf('http://127.0.0.1:4105', { INTERNAL_PORT: '4000' }), only: undefined };
    expect(warningsOf({ topology, tls: {} }, new Date())).toEqual([]);
  });
});

describe('invalid certificates', () => {
  const authorities: Authority[] = [];
  afterAll(() => {
    for (const each of authorities) each.close();
  });

  it('cause a warning in every process', async () => {
    const authority = await Authority.found('ours');
    authorities.push(authority);
    const tls = { cert: readFileSync((await authority.settings()).INTERNAL_TLS_CERT) };
    const topology = { ...topologyOf('http', {}), only: undefined };
    expect(warningsOf({ topology, tls }, new Date())).toEqual([]);
    const [said, ...more] = warningsOf({ topology, tls }, new Date('2100-01-01T00:00:00Z'));
    expect([said, more]).toEqual([expect.stringContaining('the certificate of INTERNAL_TLS_CERT was valid until'), []]);
  });
});
