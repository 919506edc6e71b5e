export { given, type RepeatedStep, type RepliedStep, type ReplyStep, type Script } from './given.ts';
export type { ModuleTestOptions, TestCallOptions, TestedOperations } from './module-under-test.ts';
export type { Ended, Given } from './scenario-runner.ts';
export { SharedFile } from './shared-file.ts';
export type { Stub, Stubs } from './stubs.ts';
export { type ModuleTools, type TestedModule, testModule } from './test-module.ts';
