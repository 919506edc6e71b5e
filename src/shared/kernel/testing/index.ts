export { given, type RepeatedStep, type RepliedStep, type ReplyStep, type Script } from './given.ts';
export type { Ended, Given } from './scenario-runner.ts';
export { SharedFile } from './shared-file.ts';
