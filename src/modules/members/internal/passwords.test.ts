import { describe, expect, it } from 'vitest';
import { Passwords } from './passwords.ts';

const nobody = new AbortController().signal;

/** Creates computations that end when the test ends them. */
function gated() {
  const begun: (() => void)[] = [];
  return { begun, compute: () => new Promise<void>((resolve) => begun.push(resolve)) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('hashes of passwords', () => {
  it('are computed a few at a time, in the order in which they were asked for', async () => {
    const passwords = new Passwords({ concurrency: 2 });
    const { begun, compute } = gated();
    const ended: number[] = [];
    const runs = [0, 1, 2, 3, 4].map((each) => passwords.run(compute, nobody).then(() => ended.push(each)));
    await turn();
    expect(begun).toHaveLength(2);
    for (let each = 0; each < 5; each++) {
      begun[each]!();
      await turn();
      expect(begun.length).toBe(Math.min(5, each + 3));
    }
    await Promise.all(runs);
    expect(ended).toEqual([0, 1, 2, 3, 4]);
  });

  it('are not begun for a caller that has gone', async () => {
    const passwords = new Passwords({ concurrency: 1 });
    const { begun, compute } = gated();
    const first = passwords.run(compute, nobody);
    const gone = new AbortController();
    const dropped = Array.from({ length: 5 }, () => passwords.run(compute, gone.signal).catch((error) => error.code));
    const last = passwords.run(compute, nobody);
    gone.abort();
    expect(await Promise.all(dropped)).toEqual(Array(5).fill('cancelled'));
    begun[0]!();
    await first;
    await turn();
    begun[1]!();
    await last;
    await expect(passwords.run(compute, gone.signal)).rejects.toMatchObject({ code: 'cancelled' });
    expect(begun).toHaveLength(2);
  });

  it('are refused at once where they would wait for too long, and taken again afterwards', async () => {
    let now = 0;
    const passwords = new Passwords({ concurrency: 1, now: () => now });
    for (let round = 0; round < 50; round++) {
      await passwords.run(async () => {
        now += 400;
      }, nobody);
    }
    const { begun, compute } = gated();
    const runs = Array.from({ length: 9 }, () => passwords.run(compute, nobody));
    const refused = await passwords.run(compute, nobody).catch((error) => error);
    expect(refused).toMatchObject({ code: 'passwords-busy', status: 503, data: { retryAfter: 4 } });
    for (let each = 0; each < 9; each++) {
      begun[each]!();
      await turn();
    }
    await Promise.all(runs);
    const again = passwords.run(compute, nobody);
    begun[9]!();
    await again;
  });

  it('that fail give their place to the next', async () => {
    const passwords = new Passwords({ concurrency: 1 });
    const failing = passwords.run(() => Promise.reject(new Error('no memory')), nobody);
    const next = passwords.run(async () => 'done', nobody);
    await expect(failing).rejects.toThrow('no memory');
    expect(await next).toBe('done');
  });

  it('fit their own password only, and nobody has the one that is checked for strangers', async () => {
    const passwords = new Passwords();
    const hash = await passwords.hash('correct horse', nobody);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const fits = (known: string | undefined, password: string) => passwords.fits(known, password, nobody);
    expect(await fits(hash, 'correct horse')).toBe(true);
    expect(await fits(hash, 'battery staple')).toBe(false);
    expect(await fits(undefined, 'correct horse')).toBe(false);
  });
});
