import { z } from 'zod';
import type { Directory, Probe } from '../../kernel/calls/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import type { ModuleProcess, ModuleProcesses } from '../supervisor/index.ts';

/** What a remote call costs on this machine now, more than one within a process. */
export interface Price {
  /** How much later its answer comes. */
  readonly ms: number;
  /** What both sides do for it. */
  readonly cpuMs: number;
  /** What each byte of input and answer adds to both. */
  readonly msPerByte: number;
}

const calls = 200;
/** As far apart as calls are in a system that is not busy: one that is asked again and again answers sooner than any does in earnest. */
const everyMs = 5;
/** As fast as they go, to see what they use: a process that is mostly idle uses more for each. */
const callsAtOnce = 1_000;
/** How long each of these may take: on a slow network fewer calls tell enough. */
const forMs = 3_000;
const sampleBytes = 16_384;
/** Nobody but this has called it. */
const endWithinMs = 1_000;
/** A value is written and read on its way there, and its answer on the way back: each byte goes through both once. */
const passes = 2;

interface PriceDependencies {
  readonly services: ModuleProcesses;
  readonly directory: Directory;
}

/** Measures it: starts a replica of the module in a process of its own, asks it whether it lives, and ends it again. */
export async function priceOf(
  module: string,
  { services, directory }: PriceDependencies,
  aborted: AbortSignal,
): Promise<Price> {
  if (aborted.aborted) throw refusal('cancelled', 'nobody waits for the price any more');
  const processes = services.spawn(module, { kind: 'service', via: 'http', instances: 1 }, 1);
  const end = () => services.terminate(processes, endWithinMs);
  aborted.addEventListener('abort', end, { once: true });
  try {
    await services.ready(module, processes);
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
  // Whoever calls has about as much to do as who answers.
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
