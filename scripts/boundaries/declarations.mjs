import { findCycle } from './cycle.mjs';

const config = '.dependency-cruiser.js';

/** Finds declarations that the imports do not confirm. `imports` are pairs of paths; `left` are the ejected modules. */
export function compareDeclarations({ rings, vendors, modules, left, imports, dependencies }) {
  const inside = Object.fromEntries(Object.entries(modules).filter(([name]) => !left.includes(name)));
  return [
    ...staleModules(inside, imports, modules),
    ...Object.entries(rings).flatMap(([ring, order]) => [...staleOrder(ring, order, imports), ...cycleIn(ring, order)]),
    ...homeless(vendors, dependencies),
  ];
}

function staleModules(inside, imports, modules) {
  const seen = edges(imports, /^src\/modules\/([^/]+)\//);
  return Object.entries(inside).flatMap(([name, about]) =>
    ['uses', 'listensTo'].flatMap((key) =>
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

function staleOrder(ring, order, imports) {
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

/** Which folder (by the group in `pattern`) imports which other. */
function edges(imports, pattern) {
  return new Set(imports.map((pair) => pair.map((path) => pattern.exec(path)?.[1]).join(' ')));
}

function cycleIn(ring, order) {
  const cycle = findCycle(order);
  if (!cycle) return [];
  const why = `"${ring}" goes round in a circle: ${cycle.join(' → ')}. Move what both need into a room below them.`;
  return [{ rule: `the-${ring}-order-has-no-cycle`, from: config, why }];
}

function homeless(vendors, dependencies) {
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
