import { describe, expect, it } from 'vitest';
import { ManualClock } from '../context/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { answerWithin, RetryingReceiver } from './broker-bus.ts';

describe('an answer with a time limit', () => {
  it('resolves and rejects like the answer', async () => {
    const clock = new ManualClock();
    await expect(answerWithin(clock, 5_000, Promise.resolve('stored'))).resolves.toBe('stored');
    await expect(answerWithin(clock, 5_000, Promise.reject(new Error('no leader')))).rejects.toThrow('no leader');
  });

  it('rejects when the limit has passed, and not before', async () => {
    const clock = new ManualClock();
    const answered = Promise.withResolvers<string>();
    const [first, second] = [
      answerWithin(clock, 5_000, answered.promise),
      answerWithin(clock, 5_001, answered.promise),
    ];
    const late = expect(first).rejects.toThrow('no answer within 5 seconds');
    clock.advance(5_000);
    await late;
    answered.resolve('stored');
    await expect(second).resolves.toBe('stored');
  });
});

describe('an event of a broker', () => {
  const event = (partitionkey: string, id: string) => ({ partitionkey, id });
  const turns = async () => {
    for (let turn = 0; turn < 10; turn++) await null;
  };

  /** Opens a module whose database rejects all writes while `broken`. */
  function open() {
    const clock = new ManualClock();
    const module = { broken: true, took: [] as string[] };
    const receive = async (what: unknown) => {
      if (module.broken) throw new Error('the disk is full');
      module.took.push((what as { id: string }).id);
    };
    return { clock, module, receiver: new RetryingReceiver(receive, { clock, log: silentLog }) };
  }
  const goOn = () => false;

  it('is tried until it is taken, in order', async () => {
    const { clock, module, receiver } = open();
    const taking = [event('a', 'a1'), event('a', 'a2')].map((each) => receiver.take(each, goOn));
    for (let times = 0; times < 5; times++) {
      await turns();
      clock.advance(2_000);
    }
    expect(module.took).toEqual([]);
    module.broken = false;
    await turns();
    clock.advance(2_000);
    expect(await Promise.all(taking)).toEqual([true, true]);
    expect(module.took).toEqual(['a1', 'a2']);
  });

  it('is left to the next, with what stands behind it, when it fails and nothing is tried again', async () => {
    const { clock, module, receiver } = open();
    const taking = [event('a', 'a1'), event('a', 'a2')].map((each) => receiver.take(each, goOn));
    await turns();
    receiver.stopRetrying();
    clock.advance(50);
    await turns();
    module.broken = false;
    expect(await Promise.all(taking)).toEqual([false, false]);
    expect(module.took).toEqual([]);
    await receiver.idle();
  });
});
