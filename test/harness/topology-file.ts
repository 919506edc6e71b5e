import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Creates a topology file for one test. Returns its path. */
export function topologyFile(text = 'bus: mitt # events\nmodules:\n'): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-topology-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'topology.yaml');
  writeFileSync(file, text);
  return file;
}
