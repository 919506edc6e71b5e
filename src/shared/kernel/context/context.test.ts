import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { currentContext, runInContext, serveInContext } from './context.ts';

const contextOf = (requestId: string) => ({ requestId, caller: 'test', deadline: 0 });
const callers = new AsyncLocalStorage<string>();

async function travelling(): Promise<(string | undefined)[]> {
  await undefined;
  return [currentContext()?.requestId, callers.getStore()];
}

it('serves a call with its own context and nothing else of its caller', async () => {
  await callers.run('own', () =>
    runInContext(contextOf('caller'), async () => {
      const served = serveInContext(contextOf('served'), travelling, undefined);
      expect(await travelling()).toEqual(['caller', 'own']);
      expect(await served).toEqual(['served', undefined]);
      expect(await travelling()).toEqual(['caller', 'own']);
    }),
  );
});

it('restores the context of the caller when the task throws', () => {
  callers.run('own', () => {
    const task = () => {
      throw new Error('broken');
    };
    expect(() => serveInContext(contextOf('served'), task, undefined)).toThrow('broken');
    expect([currentContext(), callers.getStore()]).toEqual([undefined, 'own']);
  });
});
