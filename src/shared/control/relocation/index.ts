export { Journal } from './journal.ts';
export type { TryOut } from './relocation-order.ts';
export { Relocations } from './relocations.ts';
export { serveMoves } from './serve.ts';
export { isFailure, Tally } from './tally.ts';
export { Trial, warmUp, warmUpWithinMs } from './trial.ts';
export type { Trials } from './trials.ts';
