export { logsToFile, openDestination } from './destination.ts';
export { type LogLevel, type LogLevels, levelsRule, levelsText, readLevels } from './levels.ts';
export { Logs } from './logs.ts';
