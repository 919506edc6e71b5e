import { relative } from 'node:path';
import { isVia, progressLine, topologyAnswer } from '../../src/shared/control/admin-contract/index.ts';
import { ask, follow, told } from '../operator.ts';
import { root } from '../setup.mjs';

/** What only the module itself has: its callers, and the processes of other modules, do not load these files. */
const ownCode = /^src\/modules\/([^/]+)\/(?:internal\/|module\.ts$)/;

/** Returns the modules to restart alone: they run in processes of their own, and nothing but their own code has changed. Otherwise none. */
export async function whichAreOut(changed: readonly string[]): Promise<string[]> {
  const names = changed.map((file) => ownCode.exec(relative(root, file).replaceAll('\\', '/'))?.[1]);
  if (names.includes(undefined)) return [];
  const { modules } = await ask(topologyAnswer, 'GET', '/ops/topology');
  const out = new Set(modules.flatMap(({ name, placement }) => (isVia(placement.split('?')[0]) ? [name] : [])));
  const wanted = [...new Set(names)].filter((name) => name !== undefined);
  return wanted.every((name) => out.has(name)) ? wanted : [];
}

/** Replaces the processes of a module by new ones, which run the new bundle. The module serves meanwhile. */
export async function restartAlone(module: string): Promise<void> {
  const path = `/ops/modules/${encodeURIComponent(module)}`;
  const body = { artifact: null, again: true, forNow: true, by: 'npm run dev' };
  let problem: string | undefined;
  await follow(progressLine, { method: 'PUT', path, body }, (line) => {
    if (line.problem) problem = told(line.problem);
  });
  if (problem !== undefined) throw new Error(`${problem}; the previous code of ${module} goes on serving`);
}
