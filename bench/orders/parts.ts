import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** A CPU profile of V8. */
export interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

const regions = new Map<string, (string | undefined)[]>();

/** Returns the busy time of each part, in microseconds. */
export function partsOf({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const parts = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const stack: Node[] = [];
    for (let each: number | undefined = id; each !== undefined; each = callers.get(each)) stack.push(byId.get(each)!);
    const part = partOf(stack);
    if (part) parts.set(part, (parts.get(part) ?? 0) + timeDeltas[at]!);
  }
  return parts;
}

/** Returns the part of a stack (innermost frame first). Work of Node and V8 counts for the project code that calls them. */
function partOf(stack: readonly Node[]): string | undefined {
  const { functionName, url } = stack[0]!.callFrame;
  if (functionName === '(idle)') return undefined;
  if (functionName === '(garbage collector)') return 'garbage collection';
  const places = stack.map(({ callFrame }) => sourceOf(callFrame));
  const library = /node_modules\/([^/]+)/.exec(places[0] ?? '')?.[1];
  if (library) return library;
  const own = places.find((place) => place?.startsWith('src/'));
  if (!own) return 'Node itself: promises, timers, sockets';
  if (!url && places[1] === own && own.startsWith('src/shared/adapters/sqlite/'))
    return own.endsWith('transaction.ts') ? 'SQLite: begin, savepoints, commit' : 'SQLite: statements';
  return own.replace(/^(src\/(?:shared\/[^/]+\/|)[^/]+).*/, '$1');
}

/** Returns the source file of a frame. In the bundle, a comment before the code names the file. */
function sourceOf({ url, lineNumber }: Node['callFrame']): string | undefined {
  return url.includes('/dist/') ? regionsOf(new URL(url).pathname)[lineNumber] : url;
}

function regionsOf(file: string): (string | undefined)[] {
  const known = regions.get(file);
  if (known) return known;
  const lines: (string | undefined)[] = [];
  let region: string | undefined;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    region = /^\s*\/\/#region (.*)/.exec(line)?.[1] ?? region;
    lines.push(region ?? basename(file));
    if (/^\s*\/\/#endregion/.test(line)) region = undefined;
  }
  regions.set(file, lines);
  return lines;
}
