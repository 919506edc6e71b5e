import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // How fast the machine is, is not the point.
    expect: { poll: { timeout: 10_000 } },
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    reporters: ['default', './test/harness/skipped.ts'],
    // Importing drizzle-orm unbundled costs most of a second in every test file.
    server: { deps: { inline: ['drizzle-orm'] } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
