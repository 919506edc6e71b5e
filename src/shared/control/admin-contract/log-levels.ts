import { z } from 'zod';
import type { LogLevel } from '../logs/index.ts';

const names = ['debug', 'info', 'warn', 'error', 'silent'] as const satisfies readonly LogLevel[];
const level = z.enum(names, `must be one of ${names.join(', ')}`);

/** The minimum levels of the logs: the body of `PUT /ops/log-levels`, which replaces all earlier levels. */
export const logLevelsSchema = z.strictObject({
  default: level,
  /** The levels of modules, of `gateway` and of `home`, where they differ from the default. */
  modules: z.record(z.string().max(100), level).default({}),
});

/** What the routes of log levels answer: the current levels, the levels of the settings, and the processes that could not be told. */
export const logLevelsAnswer = z.looseObject({
  ...logLevelsSchema.shape,
  settings: logLevelsSchema,
  missed: z.array(z.string()).optional(),
});
