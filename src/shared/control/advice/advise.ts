import type { SeenEdge } from './observation.ts';
import type { Price } from './price.ts';

/** The observations of the system over some time. */
export interface Observations {
  readonly seconds: number;
  readonly edges: readonly SeenEdge[];
  /** Events from one module to another, by publisher and recipient. */
  readonly events: readonly { readonly from: string; readonly to: string; readonly count: number }[];
  /** Processor time of each module in milliseconds; `longestMs` is the longest uninterrupted stretch. */
  readonly cpuMs: ReadonlyMap<string, number>;
  readonly longestMs: ReadonlyMap<string, number>;
  readonly price: Price;
  /** The unit of the costs, as `module.operation`; `undefined` for any call that a public request makes. */
  readonly per: string | undefined;
}

/** The costs and benefits of the extraction of a module. */
export interface Advice {
  readonly module: string;
  readonly costs: {
    /** Calls that would leave the process, and come into it, for each `per`. */
    readonly remoteCallsPer: number;
    /** Maximum delay of each `per`, as if these calls came one after the other. */
    readonly addedMsPer: number;
    /** Processor time that the remote calls and events would add. */
    readonly addedCpuMsPerSecond: number;
  };
  readonly brings: {
    readonly cpuMsPerSecond: number;
    /** Its share of the processor time of all modules here. */
    readonly cpuShare: number;
    /** The longest time that it kept all other work waiting. */
    readonly longestBlockMs: number;
    /** Failed calls to it, which would have failed in another process. */
    readonly failures: number;
  };
  readonly verdict: 'worth it' | 'little to gain' | 'costs more than it brings';
}

/** One call carries many events; this many events count as one call. */
const eventsPerCall = 4;
/** A module with less than this share of the processor has little to gain. */
const noteworthyShare = 0.2;
/** A module should not hold the event loop for longer. */
const tooLongMs = 50;

/** Returns advice for each of these modules, the one with the most to gain first. */
export function advise(modules: readonly string[], seen: Observations): Advice[] {
  const times = timesOf(seen);
  const total = modules.reduce((sum, module) => sum + (seen.cpuMs.get(module) ?? 0), 0);
  return modules.map((module) => adviceOn(module, seen, times, total)).sort((one, other) => gain(other) - gain(one));
}

function adviceOn(module: string, seen: Observations, times: number, total: number): Advice {
  const { price, seconds } = seen;
  const crossing = seen.edges.filter((edge) => crosses(edge, module));
  const events = seen.events.filter(({ from, to }) => (from === module) !== (to === module));
  const calls = sum(crossing.map((edge) => edge.calls));
  const bytes = sum(crossing.map((edge) => edge.calls * edge.bytes));
  const pushes = sum(events.map(({ count }) => count)) / eventsPerCall;
  const used = seen.cpuMs.get(module) ?? 0;
  const added = (calls + pushes) * price.cpuMs + bytes * price.msPerByte;
  const advice = {
    module,
    costs: {
      remoteCallsPer: round(calls / times),
      addedMsPer: round((calls * price.ms + bytes * price.msPerByte) / times),
      addedCpuMsPerSecond: round(added / seconds),
    },
    brings: {
      cpuMsPerSecond: round(used / seconds),
      cpuShare: round(total === 0 ? 0 : used / total),
      longestBlockMs: round(seen.longestMs.get(module) ?? 0),
      failures: sum(seen.edges.filter((edge) => edge.module === module).map(({ failures }) => failures)),
    },
  };
  return { ...advice, verdict: verdictOn(advice) };
}

/** Whether the calls go between the module and another; a module's calls to itself stay local. */
function crosses({ caller, module: callee }: SeenEdge, module: string): boolean {
  return (caller === module) !== (callee === module);
}

/** Returns how often `per` has happened, at least 1 to divide by. */
function timesOf({ edges, per }: Observations): number {
  const counted = edges.filter((edge) =>
    per === undefined ? isPublic(edge) : `${edge.module}.${edge.operation}` === per,
  );
  return Math.max(1, sum(counted.map(({ calls }) => calls)));
}

/** Whether a public request made the calls: in the gateway, or in the module's own resources. */
function isPublic({ caller, module }: SeenEdge): boolean {
  return caller === 'gateway' || caller === module;
}

function verdictOn({ costs, brings }: Pick<Advice, 'costs' | 'brings'>): Advice['verdict'] {
  if (brings.longestBlockMs > tooLongMs) return 'worth it';
  if (costs.addedCpuMsPerSecond > brings.cpuMsPerSecond) return 'costs more than it brings';
  return brings.cpuShare >= noteworthyShare ? 'worth it' : 'little to gain';
}

function gain({ costs, brings }: Advice): number {
  return brings.cpuMsPerSecond - costs.addedCpuMsPerSecond;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function round(number: number): number {
  return Math.round(number * 100) / 100;
}
