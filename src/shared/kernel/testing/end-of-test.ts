/** Runs `task` at the end of the current test of Vitest. Does nothing elsewhere: the test then closes what it opened. */
export async function atEndOfTest(task: () => Promise<void>): Promise<void> {
  try {
    const { onTestFinished } = await import('vitest');
    onTestFinished(task);
  } catch {
    // Vitest is not there, or no test runs.
  }
}
