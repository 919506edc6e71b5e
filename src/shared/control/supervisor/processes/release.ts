import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { background } from '../../../kernel/context/index.ts';
import type { NamedMigration } from '../../../kernel/database-engine/index.ts';

export const namedMigrationsSchema = z.array(z.object({ name: z.string(), phase: z.string().nullish() }));
const describedSchema = z.array(
  z.object({ about: z.object({ name: z.string() }), migrations: namedMigrationsSchema.optional() }),
);
const answersWithinMs = 20_000;

/**
 * Returns the migrations of a module as a program lists them with `--modules`, which opens no data. Returns `undefined` when the
 * program does not list them, such as an earlier release. That program then runs for a moment, on a temporary folder.
 */
export async function migrationsIn(program: string, module: string): Promise<readonly NamedMigration[] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-release-'));
  const env = { PATH: process.env.PATH, DATA_DIR: folder, TOPOLOGY: devNull, PORT: '0', INTERNAL_PORT: '0' };
  const child = spawn(process.execPath, [...process.execArgv, program, '--modules'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const late = background.setTimeout(() => child.kill('SIGKILL'), answersWithinMs);
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    return await firstLine(child.stdout.setEncoding('utf8')).then((line) => read(line, module));
  } finally {
    clearTimeout(late);
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.split('\n', 1)[0]!;
}

function read(line: string, module: string): readonly NamedMigration[] | undefined {
  try {
    return describedSchema.parse(JSON.parse(line)).find(({ about }) => about.name === module)?.migrations;
  } catch {
    return undefined;
  }
}
