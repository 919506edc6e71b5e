import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // How fast the machine is, is not the point.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './test/harness/skipped.ts'],
    tags: [{ name: 'deep', description: 'Runs in npm run test:deep only.' }],
    // Importing drizzle-orm unbundled costs most of a second in every test file.
    server: { deps: { inline: ['drizzle-orm'] } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'src',
          include: ['src/**/*.test.ts'],
          // Importing the kernel anew for every file would take longer than its tests.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'test', include: ['test/**/*.test.ts'], sequence: { groupOrder: 1 } } },
    ],
  },
});
