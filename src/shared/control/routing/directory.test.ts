import { beforeEach, describe, expect, it } from 'vitest';
import type { CallRequest, Parity, RoadStep } from '../../kernel/calls/index.ts';
import { contract, nothing, type Operation, query } from '../../kernel/contract/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import { CountingClock, Notes } from '../../kernel/ports/discovery.cases.ts';
import { Directory } from './directory.ts';
import { LiveAddresses } from './live-addresses.ts';

const { find } = contract('payments', {
  operations: { find: query({ summary: 'Sample', input: nothing, output: nothing }) },
}).operations as unknown as Record<string, Operation>;
const [a, b] = ['http://a:1', 'http://b:1'] as const;

let clock: CountingClock;
let fault: RoadStep;
let directory: Directory;
/** The receivers of calls and the closed links, in order. */
let happened: string[];

beforeEach(() => {
  clock = new CountingClock();
  happened = [];
  fault = (request, next) => next(request);
  directory = open('fast');
});

type Answer = (request: CallRequest) => Promise<unknown>;

function open(parity: Parity, answer: Answer = async () => ({})): Directory {
  return new Directory({
    hooks: { faults: [(request, next) => fault(request, next)] },
    ...{ parity, clock, policies: {}, log: new Notes().log, random: () => 0 },
    modules: ['payments', 'orders'],
    connect: (module, address) => ({
      call: async (request) => {
        happened.push(`${module} at ${address}`);
        return answer(request);
      },
      close: async () => void happened.push(`closed ${address}`),
    }),
  });
}

const here = async () => {
  happened.push('here');
  return {};
};

async function call(): Promise<unknown> {
  const context = { requestId: 'r', caller: 'orders', deadline: Date.now() + 60_000 };
  const answer = directory.routeTo('payments').transport.call({ operation: find!, input: {}, context });
  return answer.then(
    () => happened.splice(0),
    (error: unknown) => (isRefusal(error) ? error.code : error),
  );
}

function there(...addresses: string[]): LiveAddresses {
  const discovery = new LiveAddresses();
  discovery.set(addresses);
  directory.there('payments', discovery);
  return discovery;
}

describe('a module', () => {
  it('is away until its location is set', async () => {
    expect([directory.routeTo('payments').state, await call()]).toEqual(['away', 'unavailable']);
  });

  it('is called at its current location: in this process or at its addresses', async () => {
    directory.here('payments', here);
    expect([directory.routeTo('payments').state, await call()]).toEqual(['here', ['here']]);
    const addresses = there(a);
    expect([directory.routeTo('payments').state, await call()]).toEqual(['there', [`payments at ${a}`]]);
    addresses.set([b]);
    happened = [];
    expect(await call()).toEqual([`payments at ${b}`]);
    addresses.set([]);
    expect(await call()).toBe('unavailable');
  });

  it('is not called at its earlier location, whose connections are closed', async () => {
    const before = there(a);
    there(b);
    expect(happened.splice(0)).toEqual([`closed ${a}`]);
    before.set([a]);
    expect(await call()).toEqual([`payments at ${b}`]);
    directory.here('payments', here);
    expect(happened.splice(0)).toEqual([`closed ${b}`]);
  });

  it('still answers a call in flight at its earlier location', async () => {
    there(a);
    const asked = call();
    directory.here('payments', here);
    expect(await asked).toEqual([`payments at ${a}`, `closed ${a}`]);
  });

  it('causes an error when it is unknown', () => {
    expect(() => directory.routeTo('payment')).toThrow('there is no module "payment"');
  });

  it('meets the faults of its upstream here as well, where that is to be like a wire', async () => {
    fault = () => Promise.reject(refusal('forbidden'));
    directory.here('payments', here);
    expect(await call()).toEqual(['here']);
    directory = open('strict');
    directory.here('payments', here);
    expect(await call()).toBe('forbidden');
  });

  it('is called at its current location after an injected delay', async () => {
    directory = open('strict');
    const duringMove = async (move: () => void) => {
      fault = async (request, next) => {
        fault = (another, goOn) => goOn(another);
        await new Promise<void>((resolve) => clock.after(100, resolve));
        return next(request);
      };
      directory.here('payments', here);
      happened = [];
      const answer = call();
      move();
      clock.advance(100);
      return answer;
    };
    expect(await duringMove(() => {})).toEqual(['here']);
    expect(await duringMove(() => there(a))).toEqual([`payments at ${a}`]);
    const another = async () => {
      happened.push('another copy here');
      return {};
    };
    expect(await duringMove(() => directory.here('payments', another))).toEqual(['another copy here']);
    expect(await duringMove(() => there())).toBe('unavailable');
  });
});

describe('a listener for reachable modules', () => {
  it('is called when a module can be called', () => {
    const told: string[] = [];
    directory.onReachable((module) => told.push(`${module} ${directory.routeTo(module).state}`));
    directory.here('orders', here);
    const addresses = there(a);
    expect(told.splice(0)).toEqual(['orders here', 'payments there']);
    addresses.set([a, b]);
    expect(told.splice(0)).toEqual(['payments there']);
    addresses.set([b]);
    addresses.set([]);
    expect(told).toEqual([]);
    addresses.set([a]);
    expect(told).toEqual(['payments there']);
  });
});

it('closes every connection', async () => {
  there(a, b);
  await directory.close();
  expect([happened.splice(0).sort(), await call()]).toEqual([[`closed ${a}`, `closed ${b}`], 'unavailable']);
});

it('measures a busy instance despite some late calls, and fails for one that is always late', async () => {
  const late = (times: number) => () => (times-- > 0 ? Promise.reject(new Error('late')) : Promise.resolve({}));
  const measured = (times: number) =>
    open('fast', late(times)).probe('payments', a).time({ calls: 5, everyMs: 0, forMs: 1e6 });
  expect(await measured(7)).toHaveLength(5);
  await expect(measured(8)).rejects.toThrow('late');
});

it('waits for a busy instance: half a second for a ping, and longer to warm it up', async () => {
  const after =
    (ms: number): Answer =>
    async ({ context }) => {
      if (context.deadline < clock.now() + ms) throw refusal('timeout');
      return {};
    };
  directory = open('fast', after(2_000));
  there(a);
  expect([await directory.answers('payments'), await directory.answers('payments', 2_000)]).toEqual([false, true]);
  await directory.probe('payments', a).warm();
  await expect(open('fast', after(60_000)).probe('payments', a).warm()).rejects.toMatchObject({ code: 'timeout' });
});
