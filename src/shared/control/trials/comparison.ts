import { isDeepStrictEqual } from 'node:util';
import type { CallRequest, Transport } from '../../kernel/calls/index.ts';
import { Cancellation, type Clock } from '../../kernel/context/index.ts';
import { defaultTimeoutMs, type Operation } from '../../kernel/contract/index.ts';
import { isRefusal } from '../../kernel/errors/index.ts';
import type { TrafficSplit } from '../relocation/index.ts';

/** Counts the queries whose answers were compared, and the queries whose answers still differed when both were asked again. */
export interface Compared {
  same: number;
  /** The first differences: the operation, and the path in its answer. */
  readonly differences: { readonly operation: string; readonly at: string }[];
  different: number;
}

const maxDifferences = 20;

/** Sends the candidate a copy of each query, and compares its answer with the one that the caller got. */
export class Comparison {
  readonly compared: Compared = { same: 0, different: 0, differences: [] };
  private readonly split: Pick<TrafficSplit, 'callCandidate'>;
  private readonly clock: Clock;

  constructor(split: Pick<TrafficSplit, 'callCandidate'>, clock: Clock) {
    this.split = split;
    this.clock = clock;
  }

  /** Compares the candidate's answer. Data may have changed between the two queries, so it repeats both at the same time. */
  async compare(request: CallRequest, way: Transport, value: unknown): Promise<void> {
    try {
      const other = await this.split.callCandidate(this.#afresh(request), true);
      if (isDeepStrictEqual(value, other)) {
        this.compared.same += 1;
        return;
      }
      const again = await Promise.all([
        way.call(this.#afresh(request)),
        this.split.callCandidate(this.#afresh(request), false),
      ]);
      const at = whereDiffers(...again);
      if (at === undefined) this.compared.same += 1;
      else this.#differs(request.operation, at);
    } catch (error) {
      if (!isRefusal(error, 'cancelled')) this.#differs(request.operation, 'it was refused');
    }
  }

  #differs({ module, name }: Operation, at: string): void {
    this.compared.different += 1;
    const { differences } = this.compared;
    if (differences.length < maxDifferences) differences.push({ operation: `${module}.${name}`, at });
  }

  /** Copies a request, with a new deadline and cancellation, since no caller waits for its answer. Nobody counts it as a call. */
  #afresh({ context, toCaller: _, ...rest }: CallRequest): CallRequest {
    const deadline = this.clock.now() + (rest.operation.timeoutMs ?? defaultTimeoutMs);
    return { ...rest, context: { ...context, deadline, cancellation: new Cancellation(undefined) } };
  }
}

/** Returns the path of the first difference between two values, such as `items.0.amount`, without the values. */
function whereDiffers(one: unknown, other: unknown, path: readonly string[] = []): string | undefined {
  if (isDeepStrictEqual(one, other)) return undefined;
  if (!isObject(one) || !isObject(other)) return path.join('.') || 'the whole answer';
  const key = [...Object.keys(one), ...Object.keys(other)].find((each) => !isDeepStrictEqual(one[each], other[each]));
  return key === undefined ? path.join('.') || 'the whole answer' : whereDiffers(one[key], other[key], [...path, key]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
