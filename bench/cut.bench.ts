import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../test/crash/ledger.ts';
import { Kerf, moduleNames, newDataDir } from '../test/harness/kerf.ts';
import { Operator } from '../test/harness/operator.ts';
import { Shop } from '../test/harness/shop.ts';
import { asSvg, inTerminal } from './cut/chart.ts';
import { ConstantLoad } from './cut/load.ts';
import { aims, failures, inMs, type Move, medianMs, type Seen, table, timelineOf } from './cut/report.ts';

// Measures how the extraction and absorption of modules affect a constant load of orders.
const { CUT_MODULES = moduleNames.join(), CUT_ROUNDS = '20', CUT_RATE = '200', CUT_VIA = 'http' } = process.env;
const [rounds, rate] = [Number(CUT_ROUNDS), Number(CUT_RATE)];
const [growMs, warmUpMs, quietMs] = [15_000, 20_000, 6_000];
const shoppers = 20;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dataDir = newDataDir();
const kerf = await Kerf.start({ dataDir, env: { NODE_ENV: 'production' } });
const operator = new Operator(kerf);
// Signs in one shopper after the other, because the gateway limits a client's sign-ins in flight.
const tokens: string[] = [];
while (tokens.length < shoppers) tokens.push(await tokenOf(new Shop(kerf.url)));
const load = new ConstantLoad(kerf.url, tokens, rate, growMs);
await pause(warmUpMs);
const quietFrom = performance.now();
await pause(quietMs);

const moves: Move[] = [];
const windows: { module: string; from: number; to: number }[] = [];
for (const module of CUT_MODULES.split(',')) {
  const from = performance.now();
  for (let round = 0; round < rounds; round++)
    for (const placement of [CUT_VIA, 'in-process']) await move(module, placement);
  windows.push({ module, from, to: performance.now() });
}
const endedAt = performance.now();
await pause(1_000);
await load.stop();
await report();

async function move(module: string, placement: string): Promise<void> {
  const at = performance.now();
  const { status, body } = await operator.ask<Move>('PUT', `/modules/${module}`, { placement, forNow: true });
  if (status !== 200) throw new Error(`${module} to ${placement}: ${status} ${JSON.stringify(body)}`);
  moves.push({ ...body, at });
}

async function tokenOf(shop: Shop): Promise<string> {
  const email = `${crypto.randomUUID()}@example.com`;
  await shop.post('/members', { email, password: 'correct horse', name: 'Member' });
  return (await shop.post<{ token: string }>('/sessions', { email, password: 'correct horse' })).body.token;
}

async function report(): Promise<void> {
  const seen: Seen = { sent: load.sent, moves, windows, quiet: { from: quietFrom, to: quietFrom + quietMs }, endedAt };
  console.log(
    `\n${rate} orders a second, ${rounds} times out (${CUT_VIA}) and back for each module; added is beyond the usual ${inMs(medianMs(seen))}`,
  );
  console.log(`${table(seen)}\n\n${aims(seen)}`);
  for (const line of failures(seen)) console.log(line);
  await books();
  const timeline = timelineOf(seen);
  const file = join('dist', 'bench', 'cut', 'cut.svg');
  writeFileSync(file, asSvg(timeline));
  console.log(`\n${inTerminal(timeline)}\n  as a picture: ${file}`);
}

/** Waits until nothing is in flight, and compares the records of all modules. */
async function books(): Promise<void> {
  let found = audit(dataDir, load.told);
  for (let waited = 0; found.length > 0 && waited < 60_000; waited += 500) {
    await pause(500);
    found = audit(dataDir, load.told);
  }
  await kerf.stop();
  const verdict =
    found.length === 0 ? 'agree: nothing is lost, nothing doubled' : `disagree: ${found.slice(0, 5).join('; ')}`;
  console.log(`the books of ${load.told.size} orders ${verdict}`);
  if (found.length > 0 || load.sent.some(({ failure }) => failure)) process.exitCode = 1;
}
