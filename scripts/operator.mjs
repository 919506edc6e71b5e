// What the operators' commands share: how they reach the running system, and how they speak to a person.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from './setup.mjs';

/** To be told in every help. */
export const reaches = 'Asks the process at INTERNAL_PORT (3001), with the token in DATA_DIR (data) or OPERATOR_TOKEN.';

/**
 * The words of a command: `{ values, positionals }`. Prints the help and ends when that is asked for; fails on an option it
 * does not have.
 */
export function readWords(command, help, options = {}) {
  try {
    const words = parseArgs({
      allowPositionals: true,
      options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (!words.values.help) return words;
  } catch (error) {
    misused(command, error.message.split('. ')[0]);
  }
  console.log(help);
  process.exit(0);
}

export function misused(command, why) {
  fail(`${why}; see npm run ${command} -- --help`);
}

/** What the running system answers. Fails with its refusal, or with what keeps it from answering. */
export async function ask(method, path, body) {
  const address = `http://127.0.0.1:${process.env.INTERNAL_PORT ?? 3001}`;
  const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json' };
  const answer = await fetch(`${address}${path}`, { method, headers, body: body && JSON.stringify(body) }).catch(() =>
    fail(`nobody answers at ${address}; start Kerf, or set INTERNAL_PORT to where it listens`),
  );
  const content = await answer.json().catch(() => undefined);
  if (answer.status === 401) fail(`${address} does not take this token; is it that of the same data folder?`);
  if (!answer.ok) fail(content?.detail ?? content?.title ?? `${address} answered ${answer.status}; is it Kerf?`);
  return content;
}

/** As `ask`, for rows of all modules. What some could not be asked for is left out, and then said by `warn`. */
export async function askAll(method, path, body) {
  const { items } = await ask(method, path, body);
  const away = items.filter(({ state }) => state === 'unreachable');
  return {
    items: items.filter((item) => !away.includes(item)),
    warn() {
      if (away.length > 0) fail(`not asked: ${away.map(({ module, why }) => `${module} (${why})`).join(', ')}`);
    },
  };
}

/** Prints JSON, or whatever `print` prints for a person. */
export function tell({ json }, content, print) {
  if (json) console.log(JSON.stringify(content));
  else print(content);
}

/** Rows of text in columns. */
export function printColumns(rows) {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column].length))) ?? [];
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

function token() {
  const file = join(process.env.DATA_DIR ?? 'data', 'operator-token');
  try {
    return process.env.OPERATOR_TOKEN ?? readFileSync(file, 'utf8').trim();
  } catch {
    fail(`${file} cannot be read; set DATA_DIR to the data folder of the running system, or OPERATOR_TOKEN`);
  }
}
