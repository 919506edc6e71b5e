import { expect, it } from 'vitest';
import { systemClock } from '../../kernel/context/index.ts';
import { canarySchema, mirrorSchema } from '../admin-contract/index.ts';
import { CallStatistics, Journal, type TrafficSplit } from '../relocation/index.ts';
import { canarySteps, mirrorStep } from './steps.ts';

/** Runs a step of the move, and `called` at every pause. Resolves with the completed steps, or with the message of the failure. */
async function ran(step: (journal: Journal) => Promise<void>, called: () => void = () => {}): Promise<unknown> {
  const journal = new Journal('payments', new AbortController().signal, () => {});
  journal.pause = async () => called();
  return step(journal).then(
    () => journal.steps,
    (error: Error) => error.message,
  );
}

function splitOf(): TrafficSplit {
  const split = { candidate: new CallStatistics(), current: new CallStatistics() };
  const recount = () => Object.assign(split, { candidate: new CallStatistics(), current: new CallStatistics() });
  return Object.assign(split, { recount }) as unknown as TrafficSplit;
}

const canary = canarySchema.parse({ share: 0.5, stageMs: 100, leastCalls: 20, maxWaitMs: 60_000 });

/** Sends equally many calls to both sides at every pause. `msOf` gives the duration of calls to the new side. */
const calling = (split: TrafficSplit, msOf: () => number) => () => {
  for (let call = 0; call < 20; call++) {
    split.candidate.add(msOf(), false);
    split.current.add(5, false);
  }
};

it('a canary tolerates a new process that is slow at first', async () => {
  const split = splitOf();
  let recounts = -1;
  const { recount } = split;
  split.recount = () => {
    recounts += 1;
    recount.call(split);
  };
  const steps = await ran(
    (journal) => canarySteps(journal, split, canary, true),
    calling(split, () => (recounts < 1 ? 200 : 5)),
  );
  expect(steps).toMatchObject([{ step: 'canary 50 %', other: { p95Ms: 5, failures: 0 }, sure: expect.any(Number) }]);
  expect(recounts).toBe(1);
});

it('a canary rolls back when the process stays slow', async () => {
  const split = splitOf();
  const why = await ran(
    (journal) => canarySteps(journal, split, canary, true),
    calling(split, () => 200),
  );
  expect(why).toMatch(/^the new replicas took 200 ms \(95th percentile of \d+ calls\), the replicas before 5 ms$/);
});

it('a mirror without any query continues when it is optional, and fails when it is required', async () => {
  const mirror = mirrorSchema.parse({ forMs: 100 });
  const optional = { ...mirror, required: false };
  expect(await ran((journal) => mirrorStep(journal, splitOf(), systemClock, optional))).toMatchObject([
    { step: 'mirror', same: 0, different: 0 },
  ]);
  expect(await ran((journal) => mirrorStep(journal, splitOf(), systemClock, mirror))).toMatch(
    /^no query came in 600 ms, so that there was no answer to compare; mirror for longer, or let the move go on without/,
  );
});
