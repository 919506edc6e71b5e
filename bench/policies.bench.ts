import { bulkhead, circuitBreaker, ExponentialBackoff, handleAll, retry, SamplingBreaker, wrap } from 'cockatiel';
import { Admission } from '../src/shared/control/routing/resilience/admission.ts';
import { Breaker } from '../src/shared/control/routing/resilience/breaker.ts';
import { Bulkhead } from '../src/shared/control/routing/resilience/bulkhead.ts';
import { policiesFor } from '../src/shared/control/routing/resilience/policies.ts';
import { mayRetry, RetryBudget } from '../src/shared/control/routing/resilience/retrying.ts';
import { systemClock } from '../src/shared/kernel/context/index.ts';
import { type Contestant, compare, concurrently } from './compare.ts';

type Task = () => Promise<number>;
type Run = (task: Task) => Promise<number>;

const one: Task = async () => 1;
const policies = policiesFor({}, 'sample');
const ticket = { deadline: Date.now() + 3_600_000, what: { module: 'sample', name: 'price' } };

function cockatiel(): Record<string, Run> {
  const { windowMs, failureShare, openMs } = policies.breaker;
  const breakers = () =>
    circuitBreaker(handleAll, {
      halfOpenAfter: openMs,
      breaker: new SamplingBreaker({ threshold: failureShare, duration: windowMs, minimumRps: 2 }),
    });
  const bulkheads = () => bulkhead(policies.concurrency, policies.queue);
  const fullJitter = (attempt = 0): [number, number] => [
    Math.random() * Math.min(1_000, 20 * 2 ** attempt),
    attempt + 1,
  ];
  const retries = () =>
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff({ generator: fullJitter }) });
  const [breaker, bulk, again, all] = [breakers(), bulkheads(), retries(), wrap(retries(), bulkheads(), breakers())];
  return {
    'cockatiel: breaker': (task) => breaker.execute(task),
    'cockatiel: bulkhead': (task) => bulk.execute(task),
    'cockatiel: retry': (task) => again.execute(task),
    'cockatiel: all wrapped': (task) => all.execute(task),
  };
}

function ours(): Record<string, Run> {
  const gate = new Bulkhead(policies, systemClock);
  const admission = new Admission({ clock: systemClock });
  const all = new Bulkhead(policies, systemClock);
  const [alone, wrapped] = [breaking(), breaking()];
  const [again, wrappedAgain] = [retrying(), retrying()];
  return {
    'ours: breaker': alone,
    'ours: bulkhead': (task) => gate.run(task, ticket),
    'ours: retry': again,
    'ours: all wrapped': (task) => wrappedAgain(() => all.run(() => wrapped(task), ticket)),
    "ours: admission (the server's)": (task) => admission.run(task, ticket),
  };
}

function breaking(): Run {
  const breaker = new Breaker(policies.breaker, systemClock);
  return async (task) => {
    const pass = breaker.admits();
    if (!pass) throw new Error('open');
    try {
      const value = await task();
      breaker.succeeded(pass);
      return value;
    } catch (error) {
      breaker.failed(pass, 'faulty');
      throw error;
    }
  };
}

function retrying(): Run {
  const budget = new RetryBudget(systemClock);
  return async (task) => {
    budget.called();
    for (let attempt = 1; ; attempt++) {
      try {
        return await task();
      } catch (error) {
        if (attempt >= policies.attempts || !mayRetry('query', false, error) || !budget.admitsRetry()) throw error;
      }
    }
  };
}

const contestantsOf = (runs: Record<string, Run>, width: number): Contestant[] =>
  Object.entries(runs).map(([name, run]) => ({ name, run: (times) => concurrently(times, width, () => run(one)) }));

for (const width of [1, 100]) {
  const results = await compare({
    title: `The policies of a call around an immediate task, ${width} at a time`,
    times: 50_000,
    contestants: contestantsOf({ 'bare task': one, ...cockatiel(), ...ours() } as Record<string, Run>, width),
  });
  const bareUs = 1e6 / results[0]!.perSecond;
  for (const { name, perSecond } of results.slice(1)) {
    console.log(`  ${name.padEnd(32)} ${(1e6 / perSecond - bareUs).toFixed(2).padStart(6)} µs per call`);
  }
}

const full = new Bulkhead({ concurrency: 10, queue: 100 }, systemClock);
const inLine = await compare({
  title: 'A bulkhead of ten, 100 calls at a time: nine of ten calls wait in the queue',
  times: 50_000,
  contestants: contestantsOf(
    {
      'bare task': one,
      'cockatiel: bulkhead': (
        (policy) => (task: Task) =>
          policy.execute(task)
      )(bulkhead(10, 100)),
      'ours: bulkhead': (task) => full.run(task, ticket),
    },
    100,
  ),
});
for (const { name, perSecond } of inLine)
  console.log(`  ${name.padEnd(32)} ${(1e6 / perSecond).toFixed(2)} µs per call in total`);
