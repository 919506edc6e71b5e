import { describe, expect, it } from 'vitest';
import { FakeSystem } from './relocation.scene.ts';

const steps = ['start', 'contract', 'warm', 'move calls', 'drain', 'hand over', 'persist'];
/** The steps that change something. */
const undoable = ['start', 'move calls', 'hand over', 'persist'];
const ways = [
  { from: 'in-process', to: 'http' },
  { from: 'http', to: 'in-process' },
  { from: 'http', to: 'grpc' },
  { from: 'grpc?instances=2', to: 'http?instances=3' },
  { from: 'http', to: 'http?instances=3' },
  { from: 'http?instances=3', to: 'http' },
];

type Way = (typeof ways)[number];

/**
 * Moves the module and calls `fail` when `step` begins. Checks that the failed move has changed nothing and was
 * undone from the last step to the first, and that the next move succeeds.
 */
async function failsAt(step: string, why: string, { from, to }: Way, fail: (system: FakeSystem) => void) {
  const system = new FakeSystem(from);
  const before = system.state;
  const undone: string[] = [];
  const moving = system.move(to, (progress) => {
    if ('begun' in progress && progress.begun === step) fail(system);
    if ('takenBack' in progress) undone.push(progress.takenBack);
  });
  await expect(moving).rejects.toMatchObject({
    code: 'move-failed',
    message: expect.stringMatching(new RegExp(`at "${step}", ${why}; everything was taken back$`)),
  });
  expect(system.state).toEqual(before);
  const begun = steps.slice(0, steps.indexOf(step) + 1);
  expect(undone).toEqual(undoable.filter((each) => begun.includes(each)).reverse());
  await system.move(to);
  expect(system.state).toMatchObject({ written: to });
}

describe.each(ways)('a move from $from to $to', ({ from, to }) => {
  it('leaves nothing at the old place, and all duties at the new one', async () => {
    const [system, started] = [new FakeSystem(from), new FakeSystem(to)];
    await system.move(to);
    expect(system.state).toEqual(started.state);
    await system.move(from);
    expect(system.state).toEqual(new FakeSystem(from).state);
  });

  it('has at most one leader at each step, and persists the new place after the takeover', async () => {
    const system = new FakeSystem(from);
    const seen: [point: string, leaders: number, written: string | undefined][] = [];
    await system.move(to, (progress) => {
      const [[verb, what]] = Object.entries(progress) as [[string, string | { step: string }]];
      const step = typeof what === 'string' ? what : what.step;
      const { duties, written } = system.state;
      seen.push([`${step} ${verb}`, duties.filter(({ leads }) => leads).length, written]);
    });
    const all = ['preflight', ...steps, 'close'].flatMap((step) => [`${step} begun`, `${step} done`]);
    const persisted = all.indexOf('persist done');
    expect(seen).toEqual(all.map((point, index) => [point, 1, index < persisted ? from : to]));
  });

  it.each(steps)('is undone when it is aborted at "%s"', (step) =>
    failsAt(step, 'it was aborted by ann', { from, to }, ({ relocations }) => relocations.abort('shop', 'ann')),
  );

  it('completes when it is aborted while it closes the old place', async () => {
    const system = new FakeSystem(from);
    await system.move(to, (progress) => {
      if (!('begun' in progress) || progress.begun !== 'close') return;
      expect(() => system.relocations.abort('shop', 'ann')).toThrow(`shop has moved to ${to} already`);
    });
    expect(system.state).toMatchObject({ written: to });
  });

  it.each(steps)('is undone when the system stops at "%s"', async (step) => {
    const system = new FakeSystem(from);
    const before = system.state;
    let stopped: Promise<void> | undefined;
    const moving = system.move(to, (progress) => {
      if ('begun' in progress && progress.begun === step) stopped = system.relocations.stop();
    });
    await expect(moving).rejects.toThrow(`at "${step}", the system stops; everything was taken back`);
    await stopped;
    expect(system.state).toEqual(before);
  });
});

const afterStart = steps.filter((step) => step !== 'start');

describe.each(ways.filter(starts))('a move from $from to $to', (way) => {
  it.each(afterStart)('is undone when a new process ends at "%s"', (step) =>
    failsAt(step, String.raw`process \d+ of shop ended: SIGKILL`, way, (system) => system.killNew()),
  );
});

describe.each(ways.filter(ends))('a move from $from to $to', (way) => {
  it.each(afterStart)('is undone when an old process ends at "%s"', (step) =>
    failsAt(step, String.raw`process \d+ of shop ended: SIGKILL`, way, (system) => system.killOld()),
  );
});

/** Whether the move starts a process. */
function starts({ from, to }: Way): boolean {
  return to !== 'in-process' && from !== 'http?instances=3';
}

/** Whether the move ends a process. */
function ends({ from, to }: Way): boolean {
  return (from !== 'in-process' && to !== 'http?instances=3') || from === 'grpc?instances=2';
}
