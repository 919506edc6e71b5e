import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished } from 'vitest';

/** A release of the system that first does what `code` says: the file to name as an artifact, for as long as the test lasts. */
export function releaseThat(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'app.mjs');
  const app = pathToFileURL(join(process.cwd(), 'dist', 'app.js')).href;
  writeFileSync(file, `${code}\nawait import(${JSON.stringify(app)});\n`);
  return file;
}

/** A release of its own, with some of its text replaced: the folder of its app.js, for as long as the test lasts. */
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

/** For `releaseWith`: a migration of payments after those it has. */
export function plantedMigration(phase: string, sqlite: string): readonly [string, string] {
  const end = 'updated_at TEXT NOT NULL\n      );\n    `\n}';
  return [end, `${end}, {\n\tname: "9999-planted",\n\tphase: "${phase}",\n\tsqlite: "${sqlite}"\n}`];
}
