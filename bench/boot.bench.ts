import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const rounds = 10;

/** Measures a start, from `node` to the ready line, on a used data folder. */
async function boot(dataDir: string): Promise<{ ms: number; residentMb: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, ['dist/app.js', '--json'], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', INTERNAL_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: child.stdout }), 'line');
  const ms = performance.now() - start;
  const { readFileSync } = await import('node:fs');
  const pages =
    process.platform === 'linux' ? Number(readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1]) : 0;
  child.kill('SIGTERM');
  await once(child, 'exit');
  return { ms, residentMb: (pages * 4096) / 2 ** 20 };
}

const folder = mkdtempSync(join(process.cwd(), 'dist', 'bench-'));
try {
  await boot(folder);
  const boots = [];
  for (let round = 0; round < rounds; round++) boots.push(await boot(folder));
  const times = boots.map(({ ms }) => ms).sort((a, b) => a - b);
  const resident = boots.map(({ residentMb }) => residentMb).sort((a, b) => a - b);
  const show = (values: number[], unit: string) =>
    `${Math.round(values[Math.floor(values.length / 2)]!)} ${unit} (${Math.round(values[0]!)}–${Math.round(values.at(-1)!)})`;
  console.log(
    `\nBoot of the monolith, all modules, from node to ready\n  ${show(times, 'ms')}, resident ${show(resident, 'MB')}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
