// Requests a relocation, shows its progress, and aborts it on Ctrl-C.
import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import {
  type ProgressLine,
  progressLine,
  type relocationSchema,
  type StepObservation,
} from '../../src/shared/control/admin-contract/index.ts';
import { ask, follow, type ResultOptions, told } from '../operator.ts';
import { fail } from '../setup.mjs';

type Done = NonNullable<ProgressLine['done']>;
type Report = NonNullable<ProgressLine['report']>;
type Order = Omit<z.input<typeof relocationSchema>, 'by'>;

const by = `${userInfo().username}@${hostname()} (process ${process.pid})`;

/** The options of every command that moves a module. */
export interface MoveOptions extends ResultOptions {
  readonly forNow?: boolean;
}

/** Returns the path of a module in the admin API. */
export function pathOf(module: string): string {
  return `/ops/modules/${encodeURIComponent(module)}`;
}

/** Resolves when the relocation is complete. After a failure, prints the reason and exits with 1. */
export async function moveModule(module: string, order: Order, { json }: ResultOptions): Promise<void> {
  const path = pathOf(module);
  abortOnInterrupt(path);
  const show = json ? (line: ProgressLine) => console.log(JSON.stringify(line)) : showLine;
  let outcome: ProgressLine | undefined;
  await follow(progressLine, { method: 'PUT', path, body: { ...order, by } }, (line) => {
    outcome = line;
    show(line);
  });
  if (outcome?.problem) fail(told(outcome.problem));
  if (!outcome?.report) fail('the running system ended before the move did; start it again, and see npx kerf topology');
}

/** The first Ctrl-C aborts the relocation; the second one ends only the command. */
function abortOnInterrupt(path: string): void {
  process.once('SIGINT', () => {
    console.error('taking it back; Ctrl-C again leaves it to itself');
    void ask(z.unknown(), 'DELETE', `${path}?by=${encodeURIComponent(by)}`);
    process.once('SIGINT', () => process.exit(130));
  });
}

const isTerminal = process.stdout.isTTY;

let lastSeen: string | undefined;

function showLine({ begun, watched, seen, done, failed, takenBack, report }: ProgressLine): void {
  if (watched && seen) printOnce(`    ${watched}: ${seenIn(seen)}`);
  if (begun && isTerminal) process.stdout.write(`  … ${begun}`);
  if (done) print(`  ✓ ${done.step.padEnd(12)} ${`${done.ms} ms`.padStart(10)}  ${detailsOf(done)}`);
  // The last line, on standard error, gives the reason.
  if (failed) print(`  ✗ ${failed}`);
  if (takenBack) print(`  ↩ ${takenBack}`);
  if (report) print(summaryOf(report));
}

/** Prints a line, unless it equals the previous one. */
function printOnce(line: string): void {
  if (line !== lastSeen) print(line);
  lastSeen = line;
}

function print(line: string): void {
  if (isTerminal) process.stdout.write('\r\x1b[K');
  console.log(line.trimEnd());
}

function detailsOf(done: Done): string {
  if (done.toMirror) return toMirrorOf(done.toMirror);
  const { step, copies = [], staying = 0, calls, gapMs, file, trouble } = done;
  if (step === 'start') return [...copies, staying > 0 && `${staying} stay`].filter(Boolean).join(', ');
  if (step === 'mirror' || step.startsWith('canary')) return seenIn(done);
  if (step === 'drain') return `calls in flight: ${calls}`;
  if (step === 'hand over') return `no deliveries for ${gapMs} ms`;
  if (step === 'close') return trouble ?? '';
  if (step === 'persist') return file ?? 'until the next start only';
  return '';
}

/** Returns the queries that a mirror will compare. The command prints them before the start. */
function toMirrorOf({ operations, sent: { queries, commands } }: NonNullable<Done['toMirror']>): string {
  if (operations.length === 0) return 'nothing to mirror: the module has commands only';
  const seen = `${queries} of ${queries + commands} calls so far were queries`;
  return `to mirror: ${operations.join(', ')}; ${seen}${queries === 0 ? ', so there may be nothing to compare' : ''}`;
}

function seenIn({ other, before, same, different, sure = 0 }: StepObservation): string {
  if (!other || !before) return `${same} answers were the same, ${different} differed`;
  const side = ({ calls, failures, p95Ms }: NonNullable<StepObservation['other']>) =>
    `${calls} calls, ${failures} failed, ${p95Ms ?? '–'} ms`;
  const verdict = other.calls > 0 ? `; ${Math.floor(sure * 1_000) / 10} % sure that the new are no worse` : '';
  return `new ${side(other)}; before ${side(before)}${verdict}`;
}

function summaryOf({ module, to, ms, callsDrained, events, sagas, timers }: Report): string {
  return [
    `${module} runs ${to} now, after ${ms} ms:`,
    `  calls   in flight ${callsDrained}, all answered by the old replicas`,
    `  events  in the outbox ${events.pendingBefore} before, ${events.pendingAfter} after; in the retry queue ${events.heldBefore} before, ${events.heldAfter} after`,
    `  sagas   in flight ${sagas.underWay}: ended there ${sagas.ended}, handed over ${sagas.handedOver}, found ${sagas.found}`,
    `  timers  ${timers.before} before, ${timers.after} after`,
  ].join('\n');
}
