import { background } from '../../kernel/context/index.ts';
import { safeParse } from '../../kernel/contract/index.ts';
import { isRefusal, messageOf, StartError, whyDiskFull, whyTooManyFiles } from '../../kernel/errors/index.ts';
import { logsToFile } from '../logs/index.ts';
import { toModuleProcess } from '../supervisor/index.ts';

/** Stays below the ten seconds after which orchestrators kill a process. */
const withinTenSecondsMs = 9_500;
const announcedMs = 1_000;

/** A process that has started. */
export interface Started {
  /** How long the process still accepts requests after it has announced its stop. */
  readonly drainDelayMs: number;
  /** Announces the stop to readiness probes and to callers that receive an answer; serves as before. */
  announceStop(): void;
  close(): Promise<void>;
}

/**
 * Runs the process that `start` opens until a signal stops it. A process that has nothing to run ends by itself.
 *
 * `SIGTERM`, `SIGINT` and, without `LOG_FILE`, `SIGHUP` close the process in order and exit with 0. A signal during the start takes
 * effect after the start. `SIGTERM` announces the stop first, for `drainDelayMs`; `SIGINT` or `SIGHUP` ends the announcement.
 *
 * The process exits with 1 when closing takes longer than `closeWithinMs`. The first second of the announcement counts toward that
 * limit. An expected error at the start, or any error at the close, prints one line on standard error and exits with 1.
 */
export async function runUntilStopped(
  start: () => Promise<Started | undefined>,
  closeWithinMs = withinTenSecondsMs,
): Promise<void> {
  let starting: Promise<Started | undefined> | undefined;
  const hurry = new AbortController();
  let stopping = false;
  const tooLate = () =>
    fail(`did not close within ${closeWithinMs / 1_000} s and exits now; the next start completes the remaining work`);
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
    // An error of the system or the database has a code and explains itself; any other error is a bug of ours.
    if (!(error instanceof StartError) && typeof code !== 'string') throw error;
    // The message of a refusal is for callers; its cause names the real problem.
    if (error instanceof StartError) fail(message);
    const limit = whyTooManyFiles(error) ?? whyTooManyFiles(cause) ?? whyDiskFull(error) ?? whyDiskFull(cause);
    if (limit) fail(`cannot start: ${limit}${namedIn(error)}`);
    fail(isRefusal(error) && cause ? messageOf(cause) : message);
  }
}

/** Resolves after `delayMs`, or as soon as `hurry` is aborted. */
function pause(delayMs: number, hurry: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (hurry.aborted) resolve();
    hurry.addEventListener('abort', () => resolve(), { once: true });
    background.setTimeout(resolve, delayMs);
  });
}

/** Returns the file that a system error names, in parentheses. */
function namedIn(error: unknown): string {
  const { path } = error as { path?: unknown };
  return typeof path === 'string' ? ` (${path})` : '';
}

function fail(why: string): never {
  console.error(`kerf: ${why}`);
  process.exit(1);
}

/** How long a parent that is signaled at the same time may take to tell this process. */
const togetherWithinMs = 500;

/**
 * Calls `stop` when this process receives a signal. A module process also stops when its parent tells it to, or when the parent is
 * gone. When a signal reaches both, as by Ctrl-C, the module process waits for its parent's order: the parent needs it to the end.
 * Only `SIGTERM` is announced: a person who presses Ctrl-C waits for the exit.
 */
function whenToStop(stop: (announce: boolean) => void): void {
  const isModuleProcess = process.send !== undefined;
  let willBeTold = false;
  const signalled = (signal: NodeJS.Signals) => {
    const announce = signal === 'SIGTERM';
    if (isModuleProcess) background.setTimeout(() => willBeTold || stop(announce), togetherWithinMs);
    else stop(announce);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, signalled);
  process.on('SIGHUP', (signal) => logsToFile() || signalled(signal));
  if (!isModuleProcess) return;
  process.on('message', (received) => {
    const { data } = safeParse(toModuleProcess, received);
    if (data?.type === 'stopping' || data?.type === 'drain') willBeTold = true;
    if (data?.type === 'stop') stop(false);
  });
  process.on('disconnect', () => stop(false));
  if (!process.connected) stop(false);
}
