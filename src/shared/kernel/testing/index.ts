export { type Again, type Answer, type Answered, given, type Script } from './given.ts';
export type { Ended, Given } from './scenario-runner.ts';
export { SharedFile } from './shared-file.ts';
