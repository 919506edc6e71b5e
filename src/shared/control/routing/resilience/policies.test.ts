import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { command, contract, query } from '../../../kernel/contract/index.ts';
import { policiesFor, policiesSchema, refuseUnknownPolicies } from './policies.ts';

const schemas = { summary: 'Sample', input: z.object({}), output: z.object({}) };
const payments = contract('payments', {
  operations: { authorize: command({ ...schemas, timeoutMs: 9_000 }), find: query(schemas) },
});
const { authorize, find } = payments.operations;

describe('the policies of a call', () => {
  it('are the defaults when none are configured', () => {
    expect(policiesFor({}, 'payments')).toEqual({
      timeoutMs: 5_000,
      attempts: 3,
      concurrency: 256,
      queue: 1_024,
      breaker: { failureShare: 0.5, minimumCalls: 20, windowMs: 10_000, openMs: 1_000 },
    });
  });

  it('come from the operation, its module, its contract, and the defaults, in that order', () => {
    const config = policiesSchema.parse({
      payments: { attempts: 2, queue: 0, breaker: { openMs: 500 }, operations: { authorize: { timeoutMs: 700 } } },
      orders: { timeoutMs: 800 },
    });
    expect(policiesFor(config, 'payments', authorize)).toMatchObject({ timeoutMs: 700, attempts: 2, queue: 0 });
    expect(policiesFor(config, 'payments', find).timeoutMs).toBe(5_000);
    expect(policiesFor({}, 'payments', authorize).timeoutMs).toBe(9_000);
    expect(policiesFor(config, 'orders', authorize).timeoutMs).toBe(800);
    expect(policiesFor(config, 'payments').breaker).toMatchObject({ openMs: 500, minimumCalls: 20 });
  });
});

describe('invalid policies', () => {
  it.each([
    [{ timeoutMs: 5 }, 'payments.timeoutMs: must be a whole number of milliseconds, 10 to 60000'],
    [{ timeoutMs: '5s' }, 'payments.timeoutMs: must be a whole number of milliseconds, 10 to 60000'],
    [{ attempts: 0 }, 'payments.attempts: must be a whole number, the first attempt included, 1 to 10'],
    [{ concurrency: 1.5 }, 'payments.concurrency: must be a whole number of calls, 1 to 10000'],
    [{ queue: -1 }, 'payments.queue: must be a whole number of calls, 0 to 100000'],
    [{ breaker: { failureShare: 50 } }, 'payments.breaker.failureShare: must be a share, 0.01 to 1, such as 0.5'],
    [{ breaker: { failureShare: '50 %' } }, 'payments.breaker.failureShare: must be a share, 0.01 to 1, such as 0.5'],
    [{ breaker: { openMs: 60_000 } }, 'payments.breaker.openMs: must be a whole number of milliseconds, 10 to 30000'],
    [
      { retries: 2 },
      'payments: "retries" is unknown; known are timeoutMs, attempts, concurrency, queue, breaker, operations',
    ],
    [
      { operations: { find: { queue: 2 } } },
      'payments.operations.find: "queue" is unknown; known are timeoutMs, attempts',
    ],
    [{ operations: ['find'] }, 'payments.operations: must list operations, each with its policies'],
    [null, 'payments: must say any of timeoutMs, attempts, concurrency, queue, breaker, operations'],
  ])('%j: the error states the allowed values', (given, message) => {
    const [issue] = policiesSchema.safeParse({ payments: given }).error!.issues;
    expect(`${issue!.path.join('.')}: ${issue!.message}`).toBe(message);
  });

  it('are also those of an unknown module or operation', () => {
    const refuse = (config: object) => () =>
      refuseUnknownPolicies(policiesSchema.parse(config), [payments], 'topology.yaml');
    expect(refuse({ payments: { operations: { find: {} } } })).not.toThrow();
    expect(refuse({ payment: {} })).toThrow('topology.yaml: policies: there is no "payment"; there are payments');
    expect(refuse({ payments: { operations: { finds: {} } } })).toThrow(
      'topology.yaml: policies.payments.operations: there is no "finds"; there are authorize, find',
    );
  });
});
