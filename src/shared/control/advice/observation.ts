import type { CallRequest, Next, RoadStep } from '../../kernel/calls/index.ts';
import type { Operation } from '../../kernel/contract/index.ts';
import { CallStatistics } from '../relocation/index.ts';

/** The calls from one caller to one operation, wherever that runs. */
export interface SeenEdge {
  readonly caller: string;
  readonly module: string;
  readonly operation: string;
  readonly calls: number;
  /** Calls that failed with an error outside their contract. */
  readonly failures: number;
  /** The median time of the latest calls. */
  readonly ms: number;
  /** The mean size of input and answer as JSON, from a sample of calls. */
  readonly bytes: number;
}

interface Counted {
  readonly statistics: CallStatistics;
  readonly caller: string;
  readonly operation: Operation;
  weighed: number;
  bytes: number;
}

/** The size of one call in this many is measured: its conversion to JSON costs more than the call. */
const weighOneOf = 16;

/** Observes the calls that the modules of this process send, while it is on. */
export class Observation {
  /** Read at every call. */
  on = false;
  #edges = new Map<string, Counted>();

  begin(): void {
    this.#edges = new Map();
    this.on = true;
  }

  end(): SeenEdge[] {
    this.on = false;
    return [...this.#edges.values()].map(({ statistics, caller, operation, weighed, bytes }) => {
      const { calls, failures, p50Ms = 0 } = statistics.counts;
      const { module, name } = operation;
      const mean = weighed === 0 ? 0 : Math.round(bytes / weighed);
      return { caller, module, operation: name, calls, failures, ms: p50Ms, bytes: mean };
    });
  }

  /** Returns the step of the road that observes the calls of `caller` to `operation`. */
  step(caller: string, operation: Operation): RoadStep {
    return (call, next) => (this.on ? this.#observed(this.#edgeOf(caller, operation), call, next) : next(call));
  }

  #observed(edge: Counted, call: CallRequest, next: Next): Promise<unknown> {
    const weighs = edge.statistics.counted % weighOneOf === 0;
    const answer = edge.statistics.observe(() => next(call));
    if (weighs)
      answer.then(
        (output) => weigh(edge, call.input, output),
        () => {},
      );
    return answer;
  }

  #edgeOf(caller: string, operation: Operation): Counted {
    const key = `${caller} ${operation.module} ${operation.name}`;
    let edge = this.#edges.get(key);
    if (!edge) {
      edge = { statistics: new CallStatistics(), caller, operation, weighed: 0, bytes: 0 };
      this.#edges.set(key, edge);
    }
    return edge;
  }
}

function weigh(edge: Counted, input: unknown, output: unknown): void {
  edge.weighed += 1;
  edge.bytes += JSON.stringify([input, output]).length;
}
