import type { Table } from './architecture.ts';

/** Returns a cycle in a table, from a name back to itself; undefined when there is none. */
export function findCycle(graph: Table): string[] | undefined {
  const done = new Set<string>();
  const follow = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const next of graph[name] ?? []) {
      const cycle = follow(next, [...path, name]);
      if (cycle) return cycle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(graph)) {
    const cycle = follow(name, []);
    if (cycle) return cycle;
  }
  return undefined;
}
