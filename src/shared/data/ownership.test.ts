import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeOwnership } from './ownership.ts';

it('lets one at a time run a module on its data, and names who does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-lock-'));
  const release = takeOwnership('orders', folder);
  expect(() => takeOwnership('orders', folder)).toThrow(`in use by process ${process.pid}`);
  takeOwnership('payments', folder)();
  release();
  takeOwnership('orders', folder)();
});
