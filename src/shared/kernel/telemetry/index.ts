export { FailureLog, OncePerMinute } from './failure-log.ts';
export { createLog, type Log, logsToFile, silentLog } from './log.ts';
