import { expect, it } from 'vitest';
import { contract } from '../../kernel/contract/index.ts';
import type { ModuleProcess } from '../supervisor/index.ts';
import { Journal } from './journal.ts';
import type { Plan } from './plan.ts';
import { Relocation, type RelocationDependencies } from './relocation.ts';

/** Creates one of the processes that a module leaves. `takeUp` answers its `take-up`. */
function going(pid: number, takeUp: (own: { pid: number }) => Promise<unknown>): ModuleProcess {
  const answers: Record<string, () => unknown> = {
    idle: () => 0,
    'give-up-lead': () => ({ led: false, timers: [], upTo: 0, pending: 0, held: 0, endedAt: 0 }),
    'take-up': () => takeUp(own),
  };
  const own = { pid, ready: {}, ask: async (what: string) => answers[what]?.() };
  return own as unknown as ModuleProcess;
}

/** Moves a module from the processes `go` into this one, which cannot take the lead. Resolves with the steps that cannot be undone. */
async function movedInVain(go: readonly ModuleProcess[]): Promise<string[]> {
  const handover = {
    takeLead: () => Promise.reject(new Error('the disk is full')),
    giveUpLead: async () => {},
    finishSagas: async () => ({}),
  };
  const open = new Map([['shop', { handover, inFlight: { count: 0, idle: async () => {} } }]]);
  const here = { open, add: async () => ({ start: async () => {} }), serve() {}, remove: async () => {} };
  const moduleProcesses = { all: [], serve() {}, terminate: async () => {}, onEnd: () => () => {} };
  const directory = {
    endDetour() {},
    drained: async () => {},
    probe: () => ({ warm: async () => {}, close: async () => {} }),
  };
  const plan = { module: 'shop', from: { kind: 'service' }, to: { kind: 'in-process' }, comes: 0, stay: [], go };
  const journal = new Journal('shop', new AbortController().signal, () => {});
  const move = new Relocation(
    plan as unknown as Plan,
    {
      contract: contract('shop', { operations: {} }),
      here,
      moduleProcesses,
      directory,
      placements: new Map(),
      tryOut: {},
      abort() {},
    } as unknown as RelocationDependencies,
  );
  await move.prepare(journal);
  await expect(move.complete(journal)).rejects.toThrow('the disk is full');
  return journal.rollBack();
}

it('makes every old replica resume its work, also when another one fails, and reports the failed ones', async () => {
  const told: number[] = [];
  const takesUp = async ({ pid }: { pid: number }) => void told.push(pid);
  const hangs = () => Promise.reject(new Error('process 1 of shop did not answer'));
  expect(await movedInVain([going(1, hangs), going(2, takesUp)])).toEqual([
    'hand over: process 1 of shop did not answer',
  ]);
  expect(told).toEqual([2]);
});

it('ignores an old replica that has ended, because its replacement starts with all duties', async () => {
  const ends = async (own: { pid: number }) => {
    own.pid = 9;
    throw new Error('the process of shop does not run');
  };
  expect(await movedInVain([going(1, ends)])).toEqual([]);
});
