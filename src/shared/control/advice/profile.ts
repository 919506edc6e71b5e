import { readFileSync, realpathSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { pathToFileURL } from 'node:url';

/** Where the time of this process went, in milliseconds. */
export interface Spent {
  /** By module: what ran in its files, or was called from there. */
  readonly modules: ReadonlyMap<string, number>;
  /** The longest that a module held the event loop at a stretch. */
  readonly longest: ReadonlyMap<string, number>;
  /** What the kernel and libraries did for nobody that could be told. */
  readonly shared: number;
  readonly idle: number;
}

/** The file that holds all modules, as it was bundled. */
export interface Program {
  /** As frames name it. */
  readonly url: string;
  readonly text: string;
}

const everyMicroseconds = 1_000;
const idleNames = new Set(['(idle)', '(root)', '(program)']);

/**
 * Watches on what the processor's time goes, from now until the function it returns is called. Costs a few per cent
 * meanwhile. `path` is where the program is that runs here.
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

/** Which module a line of the bundled program belongs to; the bundler says where each file begins. */
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
