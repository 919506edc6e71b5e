import { readFileSync, realpathSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { pathToFileURL } from 'node:url';

/** The time that this process has spent, in milliseconds. */
export interface Spent {
  /** By module: time in its files, and in code that these called. */
  readonly modules: ReadonlyMap<string, number>;
  /** The longest uninterrupted time that each module held the event loop. */
  readonly longest: ReadonlyMap<string, number>;
  /** Time of the kernel and libraries that belongs to no module. */
  readonly shared: number;
  readonly idle: number;
}

/** The bundled file that contains all modules. */
export interface Program {
  /** The URL of the file in call frames. */
  readonly url: string;
  readonly text: string;
}

const everyMicroseconds = 1_000;
const idleNames = new Set(['(idle)', '(root)', '(program)']);

/**
 * Profiles the processor time from now until the caller calls the returned function. Costs a few percent meanwhile. `path` is the
 * file of the program that runs here.
 */
export async function beginProfile(path: string): Promise<() => Promise<Spent>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: everyMicroseconds });
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return spentIn(profile, { url: pathToFileURL(realpathSync(path)).href, text: readFileSync(path, 'utf8') });
  };
}

/** Returns a function that maps a line of the bundled program to its module; the bundler marks the beginning of each file. */
function moduleByLine(text: string): (line: number) => string | undefined {
  const modules: (string | undefined)[] = [];
  let module: string | undefined;
  for (const line of text.split('\n')) {
    const [, region] = /^\/\/#region (\S+)/.exec(line) ?? [];
    if (region) module = /^src\/modules\/([^/]+)\//.exec(region)?.[1];
    if (line.startsWith('//#endregion')) module = undefined;
    modules.push(module);
  }
  return (line) => modules[line];
}

/** Adds up a profile: each sample counts for the module nearest to its top. */
export function spentIn(profile: Profiler.Profile, program: Program): Spent {
  const owners = ownersOf(profile, program);
  const modules = new Map<string, number>();
  const longest = new Map<string, number>();
  let [shared, idle, stretch] = [0, 0, 0];
  let before: string | undefined;
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const ms = (profile.timeDeltas?.[index] ?? 0) / 1_000;
    const owner = owners.get(id);
    stretch = owner === before ? stretch + ms : ms;
    before = owner;
    if (owner === 'idle') idle += ms;
    else if (owner === undefined) shared += ms;
    else {
      modules.set(owner, (modules.get(owner) ?? 0) + ms);
      longest.set(owner, Math.max(longest.get(owner) ?? 0, stretch));
    }
  }
  return { modules, longest, shared, idle };
}

function ownersOf({ nodes }: Profiler.Profile, { url, text }: Program) {
  const moduleAt = moduleByLine(text);
  const owners = new Map<number, string | undefined>();
  const parents = new Map<number, number>();
  for (const { id, children } of nodes) for (const child of children ?? []) parents.set(child, id);
  // A parent stands before its children.
  for (const { id, callFrame } of nodes) {
    const isIdle = idleNames.has(callFrame.functionName) && callFrame.url === '';
    const own = callFrame.url === url ? moduleAt(callFrame.lineNumber) : undefined;
    const above = owners.get(parents.get(id) ?? -1);
    owners.set(id, isIdle ? 'idle' : (own ?? (above === 'idle' ? undefined : above)));
  }
  return owners;
}
