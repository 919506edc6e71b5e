export { type Again, type Answer, type Answered, given, type Script } from './given.ts';
export type { Ended, Ground } from './rehearsal.ts';
export { SharedFile } from './shared-file.ts';
