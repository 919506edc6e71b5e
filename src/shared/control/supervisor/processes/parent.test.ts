import { expect, it, onTestFinished } from 'vitest';
import { Notes } from '../../../kernel/ports/discovery.cases.ts';
import { joinParent } from './parent.ts';

/** Joins a parent with one part of control, and returns the function that receives the parent's messages. */
function joined(set: (state: unknown) => void, notes: Notes): (message: unknown) => void {
  const before = process.listeners('message');
  const shared = new Map([['faults', { current: () => undefined, set }]]);
  const send = process.send;
  process.send ??= () => true;
  joinParent({
    homeAddress: '',
    shared,
    open: new Map(),
    throughHome: new Map(),
    answer: async () => {},
    log: notes.log,
  });
  if (!send) delete process.send;
  const [added] = process.listeners('message').filter((listener) => !before.includes(listener));
  onTestFinished(() => void process.off('message', added!));
  return (message) => added!(message, undefined);
}

it('a module process takes over the state of a part of control', () => {
  const states: unknown[] = [];
  const receive = joined((state) => states.push(state), new Notes());
  receive({ type: 'shared', part: 'faults', state: [1] });
  receive({ type: 'shared', part: 'unknown', state: [2] });
  expect(states).toEqual([[1]]);
});

it('a module process survives a state that it does not understand, and logs it', () => {
  const notes = new Notes();
  const receive = joined(() => {
    throw new Error('must be a fault');
  }, notes);
  receive({ type: 'shared', part: 'faults', state: 'of a later release' });
  expect(notes.lines).toEqual(['warn: the state of a part of control was not taken over: must be a fault']);
});
