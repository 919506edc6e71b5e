import assert from 'node:assert';
import { z } from 'zod';
import type { CallRequest, RoadHooks } from '../../kernel/calls/index.ts';
import { timedOut as late, ofKernel, unreachableBecause } from '../../kernel/calls/index.ts';
import type { CallContext } from '../../kernel/context/index.ts';
import { command, contract, nothing, type Operation, query } from '../../kernel/contract/index.ts';
import { isRefusal, refusal } from '../../kernel/errors/index.ts';
import { CountingClock, Notes } from '../../kernel/ports/discovery.cases.ts';
import { LiveAddresses } from './live-addresses.ts';
import type { PoliciesConfig } from './resilience/policies.ts';
import { Upstream } from './upstream.ts';

const payments = contract('payments', {
  operations: {
    find: query({ summary: 'Sample', input: z.object({}), output: z.object({}) }),
    list: query({ summary: 'Sample', input: z.object({}), output: z.object({}) }),
    authorize: command({ summary: 'Sample', input: nothing, output: nothing }),
  },
});
export const { find, list, authorize } = payments.operations as unknown as Record<string, Operation>;
export const [write, read] = [ofKernel('write', 'payments'), ofKernel('read', 'payments')];
export const [a, b] = ['http://a:1', 'http://b:1'] as const;

export type Answer = (request: CallRequest) => Promise<unknown>;

export let clock: CountingClock;
let chance: number;
export let listed: LiveAddresses;
/** The answer of each instance. The default is `done`. */
export let answers: Record<string, Answer>;
/** The calls that reached the instances, in order. */
export let arrived: { address: string; request: CallRequest }[];
export let pings: string[];
/** The addresses that do not answer a ping. */
export let down: Set<string>;
export let closed: string[];
export let reachable: number;
export let upstream: Upstream;
/** What the listener and the counter are told. */
export let told: unknown[];

export const done: Answer = async () => 'done';
export const refuse = (make: () => unknown): Answer => {
  return () => Promise.reject(make());
};
/** The errors of a transport that cannot reach an instance: a cut connection, and a call that was never sent. */
export const cut = refuse(() => unreachableBecause('payments', new Error('reset'), true));
export const unsent = refuse(() => unreachableBecause('payments', new Error('refused'), false));
export const overloaded = refuse(() => refusal('overloaded'));
export const hangs: Answer = () => new Promise(() => {});

/** Begins a test with one instance that answers. */
export function beginAnew(): void {
  clock = new CountingClock();
  chance = 0;
  listed = new LiveAddresses();
  [answers, arrived, pings, down, closed, reachable, told] = [{}, [], [], new Set(), [], 0, []];
}

/** Lets `call` use another upstream. */
export function use(next: Upstream): void {
  upstream = next;
}

/** Sets what the random source returns from now on. */
export function setChance(next: number): void {
  chance = next;
}

const hooks: RoadHooks = {
  listener: {
    retried: ({ caller, operation }) => told.push(['retried', caller, operation]),
    picked: (module) => told.push(['picked', module]),
    ejected: (module) => told.push(['ejected', module]),
    dispatched() {},
    committed() {},
    sagaEnded() {},
    handled() {},
  },
  counter: {
    served: () => assert.fail('it serves nothing'),
    sent: ({ operation }, address) => told.push(['sent', operation.name, address]),
  },
};

export function open(policies: PoliciesConfig = {}, ...addresses: string[]): Upstream {
  listed.set(addresses.length > 0 ? addresses : [a]);
  const parts = {
    ...{ policies, clock, log: new Notes().log, random: () => chance, hooks },
    connect: (_: string, address: string) => ({
      async call(request: CallRequest) {
        if (request.operation.name === 'kerf.ping') {
          pings.push(address);
          if (down.has(address)) throw refusal('timeout');
          return {};
        }
        arrived.push({ address, request });
        return (answers[address] ?? done)(request);
      },
      close: async () => void closed.push(address),
    }),
  };
  upstream = new Upstream('payments', listed, parts, () => (reachable += 1));
  return upstream;
}

export function call(operation: Operation = find!, context: Partial<CallContext> = {}): Promise<unknown> {
  const usual = { requestId: 'r', caller: 'orders', deadline: clock.now() + 5_000 };
  return upstream.call({ operation, input: {}, context: { ...usual, ...context } });
}

/** The answer, or the code of the refusal. */
export const outcome = (answer: Promise<unknown>) =>
  answer.catch((error: unknown) => (isRefusal(error) ? error.code : String(error)));
export const outcomes = (times: number, operation?: Operation, context?: Partial<CallContext>) =>
  Promise.all(Array.from({ length: times }, () => outcome(call(operation, context))));
export const went = () => arrived.splice(0).map(({ address }) => address);
export const keys = () => arrived.splice(0).map(({ request }) => request.context.idempotencyKey);
export const isOpen = (address: string = a) =>
  upstream.instances.find((each) => each.address === address)?.breaker.state.kind === 'open';

/** The error of this process when no answer came in time. */
export const timedOut = refuse(() => late({ module: 'payments', name: 'find' }));
