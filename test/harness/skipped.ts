import type { Reporter, TestModule, TestSuite, Vitest } from 'vitest/node';

/** Lists the skipped suites at the end of a run, so that a skipped suite does not look tested. */
export default class SkippedSuites implements Reporter {
  #chosenByName = false;

  onInit({ config }: Vitest): void {
    this.#chosenByName = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = modules.flatMap((module) => skipped(module));
    if (suites.length === 0 || this.#chosenByName) return;
    console.log(`Skipped ${counted(suites.length, 'suite')}:`);
    for (const suite of suites)
      console.log(`  ${suite.fullName}  ${counted([...suite.children.allTests()].length, 'test')}`);
    console.log();
  }
}

/** Returns the outermost skipped suites. */
function skipped(parent: TestModule | TestSuite): TestSuite[] {
  return [...parent.children.suites()].flatMap((suite) => (suite.state() === 'skipped' ? [suite] : skipped(suite)));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
