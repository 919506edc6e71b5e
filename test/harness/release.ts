import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** A release of the system that first does what `code` says: the file to name as an artifact, for as long as the test lasts. */
export function releaseThat(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'app.mjs');
  const app = pathToFileURL(join(process.cwd(), 'dist', 'app.js')).href;
  writeFileSync(file, `${code}\nawait import(${JSON.stringify(app)});\n`);
  return file;
}
