import { background } from '../context/index.ts';
import { safeParse } from '../contract/index.ts';
import { isRefusal, messageOf, StartError } from '../errors/index.ts';
import type { ModuleDefinition } from '../module/index.ts';
import { readTopology } from '../topology/index.ts';
import { announce } from './announce.ts';
import { readCommandLine } from './command-line.ts';
import { openHost } from './host.ts';
import { toService } from './services/index.ts';

const drainMs = 9_500;

type Close = () => Promise<void>;

/**
 * Runs a process: `start` opens it and returns the way to close it. `SIGTERM`, `SIGINT` and `SIGHUP` close it in order and end it with 0,
 * one that is about to start as soon as it has (with 1 when that takes longer than 9.5 s). What keeps it from starting, or from being
 * closed in order, is one line on standard error, and 1.
 */
export async function runUntilStopped(start: () => Promise<Close>): Promise<void> {
  let starting: Promise<Close> | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    background.setTimeout(() => process.exit(1), drainMs).unref();
    const close = await starting;
    await close?.().catch((error: unknown) => fail(`cannot be closed in order: ${messageOf(error)}`));
    process.exit(0);
  };
  whenToStop(() => void stop());
  try {
    starting = start();
    await starting;
  } catch (error) {
    const { code, message, cause } = error as Error & { code?: unknown };
    // What the system or the database refuses says what and where by itself; anything else is a fault of ours.
    if (!(error instanceof StartError) && typeof code !== 'string') throw error;
    // A refusal is for callers; what is in the way is its cause.
    fail(isRefusal(error) && cause ? messageOf(cause) : message);
  }
}

function fail(why: string): never {
  console.error(`kerf: ${why}`);
  process.exit(1);
}

/**
 * Runs one module alone, in an artifact that holds it and no other: `others` are known, not there. Its topology, settings and
 * words are those of the whole system.
 */
export function runAlone(own: ModuleDefinition, others: readonly ModuleDefinition[]): Promise<void> {
  const modules = [own, ...others];
  return runUntilStopped(async () => {
    const { only = [own.contract.name], json, acceptLoss } = readCommandLine(process.argv.slice(2));
    const host = await openHost(readTopology(modules, only, process.env), modules, acceptLoss);
    await announce(host, undefined, json);
    return async () => {
      host.drain();
      await host.close();
    };
  });
}

/** How soon a process that is signalled at the same time has said so. */
const togetherWithinMs = 500;

/**
 * Calls `stop` when this process is signalled; as a service, also when it is told to by the process that started it, or when that
 * is gone. A service that is signalled together with that one, as by Ctrl-C, goes on until it is told: it is needed to the end.
 */
function whenToStop(stop: () => void): void {
  const isService = process.send !== undefined;
  let willBeTold = false;
  const signalled = () =>
    isService ? void background.setTimeout(() => willBeTold || stop(), togetherWithinMs) : stop();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, signalled);
  if (!isService) return;
  process.on('message', (received) => {
    const { data } = safeParse(toService, received);
    if (data?.type === 'drain') willBeTold = true;
    if (data?.type === 'stop') stop();
  });
  process.on('disconnect', stop);
  if (!process.connected) stop();
}
