import { background } from '../../kernel/context/index.ts';
import { safeParse } from '../../kernel/contract/index.ts';
import { isRefusal, messageOf, StartError, whyDiskFull, whyTooManyFiles } from '../../kernel/errors/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';
import { logsToFile } from '../../kernel/telemetry/index.ts';
import { toModuleProcess } from '../supervisor/index.ts';
import { readTopology } from '../topology/index.ts';
import { announce } from './announce.ts';
import { printModules, readCommandLine } from './command-line.ts';
import { openHost } from './host.ts';

/** Orchestrators kill after ten seconds. */
const withinTenSecondsMs = 9_500;
const announcedMs = 1_000;

/** A process that has started. */
export interface Started {
  /** How long it goes on accepting requests after it has announced that it stops. */
  readonly drainDelayMs: number;
  /** Says that it is about to stop, to whoever asks or is answered, and serves as before. */
  announceStop(): void;
  close(): Promise<void>;
}

/**
 * Runs the process that `start` opens until a signal stops it; one that has nothing to run ends by itself. `SIGTERM`, `SIGINT` and,
 * without `LOG_FILE`, `SIGHUP` close it in order and end it with 0, or as soon as it has started. `SIGTERM` is announced first, for as
 * long as the process says; one of the others ends the announcement. It ends with 1 when closing takes longer than `closeWithinMs`,
 * the announcement included when that takes less than a second. What keeps it from starting, or from being closed in order, is one
 * line on standard error, and 1.
 */
export async function runUntilStopped(
  start: () => Promise<Started | undefined>,
  closeWithinMs = withinTenSecondsMs,
): Promise<void> {
  let starting: Promise<Started | undefined> | undefined;
  const hurry = new AbortController();
  let stopping = false;
  const tooLate = () =>
    fail(
      `cannot be closed in order within ${closeWithinMs / 1_000} s: it ends now, and the next start does what is not done yet`,
    );
  const stop = async (announce: boolean) => {
    if (stopping) return announce ? undefined : hurry.abort();
    stopping = true;
    const late = background.setTimeout(tooLate, closeWithinMs).unref();
    const started = await starting;
    const delayMs = announce ? (started?.drainDelayMs ?? 0) : 0;
    if (delayMs > announcedMs) {
      clearTimeout(late);
      background.setTimeout(tooLate, delayMs + closeWithinMs - announcedMs).unref();
    }
    started?.announceStop();
    await pause(delayMs, hurry.signal);
    await started?.close().catch((error: unknown) => fail(`cannot be closed in order: ${messageOf(error)}`));
    process.exit(0);
  };
  whenToStop((announce) => void stop(announce));
  try {
    starting = start();
    await starting;
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown };
    // What the system or the database refuses says what and where by itself; anything else is a fault of ours.
    if (!(error instanceof StartError) && typeof code !== 'string') throw error;
    // A refusal is for callers; what is in the way is its cause.
    if (error instanceof StartError) fail(message);
    const limit = whyTooManyFiles(error) ?? whyTooManyFiles(cause) ?? whyDiskFull(error) ?? whyDiskFull(cause);
    if (limit) fail(`cannot start: ${limit}${namedIn(error)}`);
    fail(isRefusal(error) && cause ? messageOf(cause) : message);
  }
}

/** Resolves after `delayMs`, or when `hurry` is told. */
function pause(delayMs: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (hurry.aborted) resolve();
    hurry.addEventListener('abort', () => resolve(), { once: true });
    background.setTimeout(resolve, delayMs);
  });
}

/** The file that an error of the system names. */
function namedIn(error: unknown): string {
  const { path } = error as { path?: unknown };
  return typeof path === 'string' ? ` (${path})` : '';
}

function fail(why: string): never {
  console.error(`kerf: ${why}`);
  process.exit(1);
}

/**
 * Runs one module alone, in an artifact that holds it and no other: `others` are known, not there. Its topology, settings and
 * words are those of the whole system.
 */
export function runAlone(
  own: ModuleDefinition,
  others: readonly ModuleDefinition[],
  adapters: readonly Adapter[],
): Promise<void> {
  const modules = [own, ...others];
  return runUntilStopped(async () => {
    const { only = [own.contract.name], json, acceptLoss, ...print } = readCommandLine(process.argv.slice(2));
    if (print.modules) return printModules([own]);
    const host = await openHost(readTopology(modules, only, process.env), modules, adapters, acceptLoss);
    await announce(host, undefined, json);
    return {
      drainDelayMs: host.topology.settings.DRAIN_DELAY_MS,
      announceStop: () => host.announceStop(),
      async close() {
        host.drain();
        await host.close();
      },
    };
  });
}

/** How soon a process that is signalled at the same time has said so. */
const togetherWithinMs = 500;

/**
 * Calls `stop` when this process is signalled; as a service, also when it is told to by the process that started it, or when that
 * is gone. A service that is signalled together with that one, as by Ctrl-C, goes on until it is told: it is needed to the end. Only a
 * `SIGTERM` is to be announced: whoever presses Ctrl-C waits for it.
 */
function whenToStop(stop: (announce: boolean) => void): void {
  const isService = process.send !== undefined;
  let willBeTold = false;
  const signalled = (signal: NodeJS.Signals) => {
    const announce = signal === 'SIGTERM';
    if (isService) background.setTimeout(() => willBeTold || stop(announce), togetherWithinMs);
    else stop(announce);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, signalled);
  process.on('SIGHUP', (signal) => logsToFile() || signalled(signal));
  if (!isService) return;
  process.on('message', (received) => {
    const { data } = safeParse(toModuleProcess, received);
    if (data?.type === 'stopping' || data?.type === 'drain') willBeTold = true;
    if (data?.type === 'stop') stop(false);
  });
  process.on('disconnect', () => stop(false));
  if (!process.connected) stop(false);
}
