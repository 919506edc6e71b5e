import type { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { invalidInput } from '../../kernel/errors/index.ts';
import { type logLevelsAnswer, logLevelsSchema } from '../admin-contract/index.ts';
import type { Logs } from '../logs/index.ts';
import { type AdminRoutes, bodyOf, type FanOut } from './fan-out.ts';

export interface LogLevelsDependencies {
  readonly logs: Logs;
  readonly modules: readonly string[];
  /** Sends the levels of this process to the module processes that it has started, and to those that it starts later. */
  readonly share: () => void;
  /** Returns the modules in processes that this process has not started. */
  readonly elsewhere: () => readonly string[];
}

/** Serves the levels of the logs. `PUT /ops/log-levels` changes them in every process, until the home process restarts. */
export function serveLogLevels(app: AdminRoutes, fanOut: FanOut, parts: LogLevelsDependencies): void {
  const { logs, modules, share, elsewhere } = parts;
  const settings = logs.levels;
  const answer = (): z.output<typeof logLevelsAnswer> => ({ ...mutable(logs.levels), settings: mutable(settings) });
  app.get('/ops/log-levels', (c) => c.json(answer()));
  app.put('/ops/log-levels', async (c) => {
    const levels = parseInput(logLevelsSchema, await bodyOf(c));
    const known = ['gateway', 'home', ...modules];
    const issues = Object.keys(levels.modules)
      .filter((name) => !known.includes(name))
      .map((name) => ({
        path: `modules.${name}`,
        message: `there is no log "${name}"; there are ${known.join(', ')}`,
      }));
    if (issues.length > 0) throw invalidInput(issues);
    logs.setLevels(levels);
    share();
    const told = c.env?.passedOn === undefined ? elsewhere().map((name) => fanOut.tell(c, name, levels)) : [];
    return c.json({ ...answer(), missed: (await Promise.all(told)).flat() });
  });
}

function mutable({ default: usual, modules }: Logs['levels']) {
  return { default: usual, modules: { ...modules } };
}
