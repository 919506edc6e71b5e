import type { IRegularForbiddenRuleType } from 'dependency-cruiser';
import type { Rule } from '../architecture.ts';

/** Regular expressions over paths, as dependency-cruiser compares them: from the root of the project, with slashes. */
export const app = '^src/app\\.ts$';
export const compositions = '^src/compositions/';
/** Tests, the cases that several of them run, and the scenes they run in. */
export const tests = '\\.(test|cases|scene)\\.ts$';
/** What tests share: the rule that only tests import it is a rule of its own. */
export const forTests = '\\.(cases|scene)\\.ts$';
export const testKit = '^src/shared/kernel/testing/';
export const contracts = '^src/modules/[^/]+/contract\\.ts$';

export const any = (names: readonly string[]) => `(${names.join('|')})`;
/** A home as the tables of .dependency-cruiser.js write it: a path under src/, in which `*` is any one name. */
export const homeAt = (path: string) => `^src/${path.replaceAll('.', '\\.').replaceAll('*', '[^/]+')}(/|$)`;
export const packageNamed = (name: string) => `(^|/)node_modules/${name}/`;

/** Makes a rule. `comment` addresses the developer who breaks it. */
export function forbid(
  name: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
  comment: string,
): Rule {
  return { name, severity: 'error', comment, from, to };
}
