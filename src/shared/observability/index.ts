export { FailureLog } from './failure-log.ts';
export { createLog, type Log, silentLog } from './log.ts';
