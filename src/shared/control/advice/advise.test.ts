import { expect, it } from 'vitest';
import { advise, type Observations } from './advise.ts';
import { spentIn } from './profile.ts';

const edge = (caller: string, module: string, operation: string, calls: number, rest = {}) => ({
  ...{ caller, module, operation, calls, failures: 0, ms: 1, bytes: 0 },
  ...rest,
});

function seen(rest: Partial<Observations> = {}): Observations {
  return {
    seconds: 10,
    per: 'orders.place',
    price: { ms: 0.5, cpuMs: 0.25, msPerByte: 0.0001 },
    edges: [
      edge('gateway', 'orders', 'place', 100),
      edge('orders', 'payments', 'authorize', 100, { bytes: 1_000 }),
      edge('orders', 'payments', 'capture', 100, { failures: 3 }),
      edge('payments', 'payments', 'find', 1_000),
    ],
    events: [
      { from: 'payments', to: 'orders', count: 40 },
      { from: 'orders', to: 'mail', count: 400 },
    ],
    cpuMs: new Map([
      ['orders', 300],
      ['payments', 700],
    ]),
    longestMs: new Map([['payments', 12]]),
    ...rest,
  };
}

it('estimates the remote calls per unit, at the price of a call on this machine', () => {
  const [payments] = advise(['payments'], seen());
  expect(payments).toMatchObject({
    // 200 calls of 100 orders; 0.5 ms each, and 100,000 bytes.
    costs: { remoteCallsPer: 2, addedMsPer: 1.1, addedCpuMsPerSecond: 6.25 },
    brings: { cpuMsPerSecond: 70, cpuShare: 1, longestBlockMs: 12, failures: 3 },
  });
});

it('gives costs per gateway call when no unit is named, from compositions and resources', () => {
  const edges = [
    edge('gateway', 'orders', 'find', 30),
    edge('orders', 'orders', 'place', 20),
    edge('orders', 'payments', 'authorize', 100),
  ];
  const [payments] = advise(['payments'], seen({ per: undefined, edges, events: [] }));
  expect(payments?.costs).toEqual({ remoteCallsPer: 2, addedMsPer: 1, addedCpuMsPerSecond: 2.5 });
});

it("ignores a module's calls to itself, and events between other modules", () => {
  const only = seen({
    edges: [edge('payments', 'payments', 'find', 1_000)],
    events: [{ from: 'orders', to: 'mail', count: 9 }],
  });
  expect(advise(['payments'], only)[0]?.costs).toEqual({ remoteCallsPer: 0, addedMsPer: 0, addedCpuMsPerSecond: 0 });
});

it('lists the module with the largest benefit first, with its verdict', () => {
  const advice = advise(
    ['mail', 'orders', 'payments'],
    seen({
      cpuMs: new Map([
        ['orders', 100],
        ['payments', 900],
      ]),
    }),
  );
  expect(advice.map(({ module, verdict }) => [module, verdict])).toEqual([
    ['payments', 'worth it'],
    ['orders', 'costs more than it brings'],
    ['mail', 'costs more than it brings'],
  ]);
});

it('recommends the extraction of a module that blocks the event loop, at any cost', () => {
  const blocking = seen({
    cpuMs: new Map([
      ['orders', 1_000],
      ['mail', 1],
    ]),
    longestMs: new Map([['mail', 51]]),
  });
  expect(advise(['mail'], blocking)[0]?.verdict).toBe('worth it');
});

it('attributes processor time to the nearest module in the call stack, by the regions of the program', () => {
  const text = [
    '//#region src/modules/payments/internal/pay.ts',
    'a',
    '//#endregion',
    '//#region src/shared/kernel/database/x.ts',
    'b',
    '//#endregion',
  ].join('\n');
  const program = { url: 'file:///app.js', text };
  const frame = (functionName: string, lineNumber: number, url = program.url) => ({
    functionName,
    lineNumber,
    url,
    scriptId: '1',
    columnNumber: 0,
  });
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', -1, ''), children: [2, 4, 5, 6] },
      { id: 2, callFrame: frame('pay', 1), children: [3] },
      { id: 3, callFrame: frame('write', 4) },
      { id: 4, callFrame: frame('(idle)', -1, '') },
      { id: 5, callFrame: frame('write', 4) },
      { id: 6, callFrame: frame('encode', 1, 'file:///chunks/grpc.js') },
    ],
    samples: [2, 3, 4, 5, 3, 6],
    timeDeltas: [1_000, 2_000, 50_000, 4_000, 8_000, 16_000],
    startTime: 0,
    endTime: 0,
  };
  const spent = spentIn(profile, program);
  expect([...spent.modules]).toEqual([['payments', 11]]);
  expect([...spent.longest]).toEqual([['payments', 8]]);
  expect([spent.shared, spent.idle]).toEqual([20, 50]);
});
