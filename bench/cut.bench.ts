import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { audit } from '../test/crash/ledger.ts';
import { Kerf, moduleNames, newDataDir } from '../test/harness/kerf.ts';
import { Operator } from '../test/harness/operator.ts';
import { Shop } from '../test/harness/shop.ts';
import { asSvg, inTerminal, type Timeline } from './cut/chart.ts';
import { ConstantLoad, type Sent } from './cut/load.ts';

// Modules move out and back under a constant load of orders: what do those who order notice?
const { CUT_MODULES = moduleNames.join(), CUT_ROUNDS = '20', CUT_RATE = '200', CUT_VIA = 'http' } = process.env;
const [rounds, rate] = [Number(CUT_ROUNDS), Number(CUT_RATE)];
const [growMs, warmUpMs, quietMs] = [15_000, 20_000, 6_000];
const shoppers = 20;

interface Move {
  readonly module: string;
  readonly from: string;
  readonly to: string;
  readonly ms: number;
  readonly gapMs: number;
  readonly callsDrained: number;
  readonly events: { readonly pendingBefore: number; readonly pendingAfter: number };
  readonly sagas: { readonly underWay: number; readonly handedOver: number; readonly found: number };
  readonly at: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dataDir = newDataDir();
const kerf = await Kerf.start({ dataDir, env: { NODE_ENV: 'production' } });
const operator = new Operator(kerf);
const tokens = await Promise.all(Array.from({ length: shoppers }, () => tokenOf(new Shop(kerf.url))));
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

function within(from: number, to: number): Sent[] {
  return load.sent.filter(({ due }) => due >= from && due < to);
}

function at(part: number, numbers: number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

async function report(): Promise<void> {
  const quiet = within(quietFrom, quietFrom + quietMs);
  const quietTimes = quiet.map(({ ms }) => ms);
  const usual = at(0.5, quietTimes);
  const ms = (number: number) => `${number.toFixed(1)} ms`;
  console.log(
    `\n${rate} orders a second, ${rounds} times out (${CUT_VIA}) and back for each module; added is beyond the usual ${ms(usual)}`,
  );
  const rows = [
    [
      '',
      'moves',
      'orders',
      'failed',
      'p50',
      'added p99',
      'added worst',
      'longest gap',
      'calls drained',
      'events in transit',
      'sagas handed over',
    ],
    [
      'quiet',
      '0',
      String(quiet.length),
      String(quiet.filter(({ failure }) => failure).length),
      ms(usual),
      ms(at(0.99, quietTimes) - usual),
      ms(Math.max(...quietTimes) - usual),
      '',
      '',
      '',
      '',
    ],
    ...windows.map(({ module, from, to }) => {
      const orders = within(from, to);
      const times = orders.map((each) => each.ms);
      const own = moves.filter((each) => each.module === module);
      const total = (of: (move: Move) => number) => String(own.reduce((sum, each) => sum + of(each), 0));
      return [
        ...[module, String(own.length), String(orders.length), String(orders.filter(({ failure }) => failure).length)],
        ...[ms(at(0.5, times)), ms(at(0.99, times) - usual), ms(Math.max(...times) - usual)],
        ...[ms(Math.max(...own.map(({ gapMs }) => gapMs))), total(({ callsDrained }) => callsDrained)],
        ...[total(({ events }) => events.pendingBefore), total(({ sagas }) => sagas.handedOver)],
      ];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) console.log(row.map((cell, column) => cell.padStart(widths[column]!)).join('  '));
  const all = within(quietFrom, endedAt);
  const moving = within(quietFrom + quietMs, endedAt).map((each) => each.ms - usual);
  console.log(
    `\nall moves: added p99 ${ms(at(0.99, moving))} (aim: under 50), worst ${ms(Math.max(...moving))} (aim: under 250); gap up to ${ms(Math.max(...moves.map(({ gapMs }) => gapMs)))} (aim: 100)`,
  );
  console.log(
    `this program itself was late in sending by ${ms(
      at(
        0.99,
        all.map(({ lagMs }) => lagMs),
      ),
    )} (p99), ${ms(Math.max(...all.map(({ lagMs }) => lagMs)))} at worst`,
  );
  for (const { due, failure } of load.sent.filter((each) => each.failure !== undefined))
    console.log(`failed ${((due - quietFrom) / 1_000).toFixed(1)} s after the quiet time began: ${failure}`);
  await books();
  const timeline: Timeline = {
    orders: load.sent
      .filter(({ due }) => due >= quietFrom)
      .map((each) => ({ at: each.due - quietFrom, ms: each.ms, failed: each.failure !== undefined })),
    moves: moves.map((each) => ({
      at: each.at - quietFrom,
      ms: each.ms,
      label: `${each.module}: ${each.from} → ${each.to}, ${each.ms} ms`,
    })),
    endsAt: endedAt + 1_000 - quietFrom,
  };
  const file = join('dist', 'bench', 'cut', 'cut.svg');
  writeFileSync(file, asSvg(timeline));
  console.log(`\n${inTerminal(timeline)}\n  as a picture: ${file}`);
}

/** Waits until nothing is under way, and compares what all modules have written down. */
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
