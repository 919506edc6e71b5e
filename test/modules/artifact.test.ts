import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { bundleModule, moduleNames, strangers } from '../../scripts/build-module/bundle.mjs';

it.each(moduleNames)(
  'the artifact of %s holds it, the contracts it knows, and nothing of the inside of others',
  async (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'kerf-artifact-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const artifact = await bundleModule(name, folder);
    const sources = artifact.files.flatMap((file) => file.sources);
    expect(sources).toContain(`src/modules/${name}/module.ts`);
    expect(sources).toContain('src/shared/host/host.ts');
    expect(strangers(name, artifact)).toEqual([]);
    expect(artifact.packages).toHaveProperty('better-sqlite3');
  },
);

it('tells what would have no place there', () => {
  const sources = [
    'src/modules/orders/contract.ts',
    'src/modules/orders/module.json',
    'src/modules/orders/internal/place.ts',
    'src/modules/orders/routes.ts',
    'src/shared/gateway/gateway.ts',
    'src/compositions/products.ts',
    'src/shared/host/host.ts',
  ];
  expect(strangers('payments', { files: [{ name: 'app.js', bytes: 1, sources }] })).toEqual([
    'src/modules/orders/internal/place.ts',
    'src/modules/orders/routes.ts',
    'src/shared/gateway/gateway.ts',
    'src/compositions/products.ts',
  ]);
});
