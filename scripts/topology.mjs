// npm run topology: asks the running system what runs where.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from './setup.mjs';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(
    'Usage: npm run topology [-- --json]\n\nAsks the process at INTERNAL_PORT (3001), with the token in DATA_DIR (data) or OPERATOR_TOKEN.',
  );
  process.exit(0);
}
const unknown = words.find((word) => word !== '--json');
if (unknown) fail(`unknown word "${unknown}"; see npm run topology -- --help`);

const address = `http://127.0.0.1:${process.env.INTERNAL_PORT ?? 3001}`;
const answer = await fetch(`${address}/ops/topology`, { headers: { authorization: `Bearer ${token()}` } }).catch(() =>
  fail(`nobody answers at ${address}; start Kerf, or set INTERNAL_PORT to where it listens`),
);
if (!answer.ok) fail(`${address} answered ${answer.status}; is the operator token of the same data folder?`);
const topology = await answer.json();
if (words.includes('--json')) console.log(JSON.stringify(topology));
else print(topology);

function token() {
  const file = join(process.env.DATA_DIR ?? 'data', 'operator-token');
  try {
    return process.env.OPERATOR_TOKEN ?? readFileSync(file, 'utf8').trim();
  } catch {
    fail(`${file} cannot be read; set DATA_DIR to the data folder of the running system, or OPERATOR_TOKEN`);
  }
}

function print({ bus, modules }) {
  const width = Math.max(...modules.map(({ name }) => name.length));
  console.log(`events: ${bus}`);
  for (const { name, placement, state, instances } of modules) {
    const where = instances.map(({ pid, address: at }) =>
      [at ?? 'home process', pid && `(process ${pid})`].filter(Boolean).join(' '),
    );
    console.log(
      `${name.padEnd(width)}  ${state.padEnd(8)}  ${placement}${where.length > 0 ? `, ${where.join(', ')}` : ''}`,
    );
  }
}
