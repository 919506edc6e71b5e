import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/** Lists the skipped suites at the end of a run and counts its deep tests, so that a skipped test does not look tested. */
export default class SkippedSuites implements Reporter {
  #chosenByName = false;

  onInit({ config }: Vitest): void {
    this.#chosenByName = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#chosenByName) return;
    const deep = modules.flatMap((module) => [...module.children.allTests('skipped')]).filter(isDeep);
    if (deep.length > 0) console.log(`${counted(deep.length, 'test')} run in npm run test:deep only\n`);
    const suites = modules.flatMap((module) => skipped(module));
    if (suites.length === 0) return;
    console.log(`Skipped ${counted(suites.length, 'suite')}:`);
    for (const suite of suites)
      console.log(`  ${suite.fullName}  ${counted([...suite.children.allTests()].length, 'test')}`);
    console.log();
  }
}

/** Returns the outermost skipped suites, without the deep ones. */
function skipped(parent: TestModule | TestSuite): TestSuite[] {
  return [...parent.children.suites()].flatMap((suite) => {
    if (suite.state() !== 'skipped') return skipped(suite);
    return [...suite.children.allTests()].every(isDeep) ? [] : [suite];
  });
}

function isDeep({ tags }: TestCase): boolean {
  return tags.includes('deep');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
