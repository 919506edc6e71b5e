export { Directory } from './directory.ts';
export type { Probe } from './probe.ts';
export { isFailure, Tally } from './tally.ts';
export type { Trial } from './trial.ts';
