import type { Table, Violation } from './architecture.ts';
import { findCycle } from './cycle.ts';
import type { Manifests } from './modules.ts';

const config = '.dependency-cruiser.js';

/** An import: the path of its file, and the path of its target. */
export type Import = readonly [from: string, to: string];

interface Declarations {
  /** The order of the rooms of each ring. */
  readonly rings: Readonly<Record<string, Table>>;
  readonly vendors: Table;
  readonly modules: Manifests;
  /** The ejected modules. */
  readonly left: readonly string[];
  readonly imports: readonly Import[];
  readonly dependencies: readonly string[];
}

/** Finds declarations that the imports do not confirm. */
export function compareDeclarations(declared: Declarations): Violation[] {
  const { rings, vendors, modules, left, imports, dependencies } = declared;
  const inside = Object.fromEntries(Object.entries(modules).filter(([name]) => !left.includes(name)));
  return [
    ...staleModules(inside, imports, modules),
    ...Object.entries(rings).flatMap(([ring, order]) => [...staleOrder(ring, order, imports), ...cycleIn(ring, order)]),
    ...homeless(vendors, dependencies),
  ];
}

function staleModules(inside: Manifests, imports: readonly Import[], modules: Manifests): Violation[] {
  const seen = edges(imports, /^src\/modules\/([^/]+)\//);
  return Object.entries(inside).flatMap(([name, about]) =>
    (['uses', 'listensTo'] as const).flatMap((key) =>
      about[key]
        .filter((other) => Object.hasOwn(modules, other) && !seen.has(`${name} ${other}`))
        .map((other) => ({
          rule: 'what-is-declared-is-used',
          from: `src/modules/${name}/module.json`,
          why: `"${key}" names "${other}", and no file of ${name} imports its contract: the declaration is stale. Take "${other}" out of "${key}".`,
        })),
    ),
  );
}

function staleOrder(ring: string, order: Table, imports: readonly Import[]): Violation[] {
  const seen = edges(imports, new RegExp(`^src/shared/${ring}/([^/]+)/`));
  return Object.entries(order).flatMap(([room, below]) =>
    below
      .filter((other) => !seen.has(`${room} ${other}`))
      .map((other) => ({
        rule: `the-${ring}-order-is-minimal`,
        from: config,
        why: `"${ring}" lets "${room}" import "${other}", and nothing there does. Take it out, so that the order stays the true one.`,
      })),
  );
}

/** Returns the imports between folders; the group in `pattern` matches the folder. */
function edges(imports: readonly Import[], pattern: RegExp): Set<string> {
  return new Set(imports.map((pair) => pair.map((path) => pattern.exec(path)?.[1]).join(' ')));
}

function cycleIn(ring: string, order: Table): Violation[] {
  const cycle = findCycle(order);
  if (!cycle) return [];
  const why = `"${ring}" goes round in a circle: ${cycle.join(' → ')}. Move what both need into a room below them.`;
  return [{ rule: `the-${ring}-order-has-no-cycle`, from: config, why }];
}

function homeless(vendors: Table, dependencies: readonly string[]): Violation[] {
  const rule = 'every-dependency-has-a-home';
  return [
    ...dependencies
      .filter((name) => !Object.hasOwn(vendors, name))
      .map((name) => ({
        rule,
        from: 'package.json',
        why: `"${name}" is a dependency without a home. Add it to "vendors" in ${config}, with the one folder that is to know it, or run npm uninstall ${name}.`,
      })),
    ...Object.keys(vendors)
      .filter((name) => !dependencies.includes(name))
      .map((name) => ({
        rule,
        from: config,
        why: `"vendors" gives "${name}" a home, and package.json does not depend on it. Take the line out, or install it.`,
      })),
  ];
}
