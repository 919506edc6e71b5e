import type { Rule, Table } from '../architecture.ts';
import { any, forbid, homeAt } from './paths.ts';

/** Returns rules for Node's modules, named as in dependency-cruiser: without `node:`, unless only that name exists. */
export function builtinRules(builtins: Table): Rule[] {
  const limited = Object.entries(builtins).filter(([, homes]) => !isEverywhere(homes));
  return [
    ...limited.map(([name, homes]) => staysAtHome(name, homes)),
    forbid(
      'every-builtin-has-a-home',
      { path: '^src/' },
      { dependencyTypes: ['core'], pathNot: named(any(Object.keys(builtins))) },
      'This module of Node has no home: it loads code past every check, or nobody needed it yet (for process, write the global process). Do without it, or add it to "builtins" in .dependency-cruiser.js, with the one folder that is to know it.',
    ),
  ];
}

/** Returns whether every part of src/ may import it, so that it needs no rule. */
export const isEverywhere = (homes: readonly string[]) => homes.includes('app.ts');

function staysAtHome(name: string, homes: readonly string[]): Rule {
  return forbid(
    `node-${name}-stays-at-home`,
    { path: '^src/', pathNot: homes.map(homeAt) },
    { dependencyTypes: ['core'], path: named(name) },
    `node:${name} reaches what imports do not show, so ${homes.map((home) => `src/${home}`).join(', ')} only may import it. Use what its home exports, or have what you need handed in. If this is a home as well, add it to "builtins" in .dependency-cruiser.js.`,
  );
}

const named = (name: string) => `^(node:)?${name}(/|$)`;
