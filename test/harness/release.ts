import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished } from 'vitest';

/** Creates a release that runs `code` before the system. Returns its file, to name as an artifact. The test's end removes it. */
export function releaseThat(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'app.mjs');
  const app = pathToFileURL(join(process.cwd(), 'dist', 'app.js')).href;
  writeFileSync(file, `${code}\nawait import(${JSON.stringify(app)});\n`);
  return file;
}

/** Creates a release with some of its text replaced. Returns the folder of its app.js. The test's end removes it. */
export function releaseWith(changes: readonly (readonly [string, string])[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync('dist', join(folder, 'dist'), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, 'dist', 'app.js');
  let text = readFileSync(file, 'utf8');
  for (const [before, after] of changes) {
    expect(text).toContain(before);
    text = text.replaceAll(before, after);
  }
  writeFileSync(file, text);
  return join(folder, 'dist');
}

/** Returns a change for `releaseWith` that adds a last migration to payments. */
export function plantedMigration(phase: string, sqlite: string): readonly [string, string] {
  const end = 'updated_at TEXT NOT NULL\n      );\n    `\n}';
  return [end, `${end}, {\n\tname: "9999-planted",\n\tphase: "${phase}",\n\tsqlite: "${sqlite}"\n}`];
}
