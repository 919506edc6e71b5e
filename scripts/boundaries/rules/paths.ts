import type { IRegularForbiddenRuleType } from 'dependency-cruiser';
import type { Rule } from '../architecture.ts';

/** Regular expressions for paths in the form of dependency-cruiser: from the root of the project, with slashes. */
export const app = '^src/app\\.ts$';
export const compositions = '^src/compositions/';
/** Matches tests, shared cases, and scenes. */
export const tests = '\\.(test|cases|scene)\\.ts$';
/** Matches files that tests share. A separate rule lets only tests import them. */
export const forTests = '\\.(cases|scene)\\.ts$';
export const testKit = '^src/shared/kernel/testing/';
export const contracts = '^src/modules/[^/]+/contract\\.ts$';

export const any = (names: readonly string[]) => `(${names.join('|')})`;
/** Returns the pattern of a home in .dependency-cruiser.js: a path under src/, in which `*` matches one name. */
export const homeAt = (path: string) => `^src/${path.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}(/|$)`;
export const packageNamed = (name: string) => `(^|/)node_modules/${name}/`;

/** Creates a rule. `comment` addresses the developer who breaks it. */
export function forbid(
  name: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
  comment: string,
): Rule {
  return { name, severity: 'error', comment, from, to };
}
