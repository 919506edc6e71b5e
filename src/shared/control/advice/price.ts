import { z } from 'zod';
import { refusal } from '../../kernel/errors/index.ts';
import type { Directory, Probe } from '../routing/index.ts';
import type { ModuleProcess, ModuleProcesses } from '../supervisor/index.ts';

/** The current extra cost of a remote call on this machine, compared with a call within a process. */
export interface Price {
  /** The delay of the answer. */
  readonly ms: number;
  /** The processor time of both sides. */
  readonly cpuMs: number;
  /** The time that each byte of input and answer adds to `ms` and to `cpuMs`. */
  readonly msPerByte: number;
}

const calls = 200;
/** The interval of calls in a system that is not busy: a process under constant calls answers faster than in real use. */
const everyMs = 5;
/** Calls without a pause, to measure their processor time: a mostly idle process uses more for each call. */
const callsAtOnce = 1_000;
/** Maximum time of each of the two measurements: on a slow network, fewer calls are enough. */
const forMs = 3_000;
const sampleBytes = 16_384;
/** Maximum time for the replica to end: only this measurement has called it. */
const endWithinMs = 1_000;
/** The input is encoded and decoded on its way, and so is the answer: each byte goes through both once. */
const passes = 2;

interface PriceDependencies {
  readonly moduleProcesses: ModuleProcesses;
  readonly directory: Directory;
}

/** Measures the price: starts a replica of the module in a process of its own, pings it, and ends it again. */
export async function priceOf(
  module: string,
  { moduleProcesses, directory }: PriceDependencies,
  aborted: AbortSignal,
): Promise<Price> {
  if (aborted.aborted) throw refusal('cancelled', 'the caller has gone');
  const processes = moduleProcesses.spawn(module, { kind: 'service', via: 'http', instances: 1 }, 1);
  const end = () => moduleProcesses.terminate(processes, endWithinMs);
  aborted.addEventListener('abort', end, { once: true });
  try {
    await moduleProcesses.ready(module, processes);
    const [other] = processes;
    if (!other?.ready) throw new Error(`a copy of ${module} has ended while it was measured`);
    const probe = directory.probe(module, other.ready.reachedAt);
    return await measured(probe, other).finally(() => probe.close());
  } finally {
    await end();
  }
}

async function measured(probe: Probe, other: ModuleProcess): Promise<Price> {
  const times = await probe.time({ calls, everyMs, forMs });
  times.sort((one, another) => one - another);
  const before = await usedBy(other);
  const { length: made } = await probe.time({ calls: callsAtOnce, everyMs: 0, forMs });
  const used = (await usedBy(other)) - before;
  // The caller needs about as much processor time as the callee.
  const cpuMs = (2 * used) / made;
  return { ms: times[Math.floor(times.length / 2)] ?? 0, cpuMs, msPerByte: jsonMsPerByte() };
}

async function usedBy(process: ModuleProcess): Promise<number> {
  return z.number().parse(await process.ask('processor-ms', undefined, 5_000));
}

function jsonMsPerByte(): number {
  const value = Array.from({ length: sampleBytes / 64 }, (_, index) => ({
    id: `0192f0c1-${index}`,
    amount: index,
    of: 'KRW',
  }));
  const bytes = JSON.stringify(value).length;
  const startedAt = performance.now();
  for (let time = 0; time < 50; time++) JSON.parse(JSON.stringify(value));
  return ((performance.now() - startedAt) / 50 / bytes) * passes;
}
