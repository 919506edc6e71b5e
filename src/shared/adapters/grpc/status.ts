import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { maximumBodyBytes, saidLate, unreachableBecause } from '../../kernel/calls/index.ts';
import {
  fromProblem,
  type Issue,
  invalidInput,
  isProblem,
  type KernelCode,
  type Problem,
  refusal,
  toProblem,
} from '../../kernel/errors/index.ts';
import { names } from './protocol.ts';

/** Maps the HTTP status of a refusal to a gRPC status, for programs that do not know Kerf. */
const statuses: Record<number, status> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  405: status.UNIMPLEMENTED,
  409: status.FAILED_PRECONDITION,
  410: status.NOT_FOUND,
  412: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** Metadata size that every gRPC implementation accepts. `toStatus` drops validation issues beyond it. */
const maxMetadataBytes = 4 * 1024;
const longestDetail = 1_000;

/** Encodes a refusal as the message of an answer. Returns undefined when it fits into metadata. */
export function toProblemMessage(error: unknown): Buffer | undefined {
  const problem = toProblem(error);
  const json = Buffer.from(JSON.stringify(problem));
  if (json.length <= maxMetadataBytes) return undefined;
  if (json.length <= maximumBodyBytes) return json;
  const what = `the data of "${problem.code}" is over ${maximumBodyBytes} bytes`;
  return Buffer.from(JSON.stringify(toProblem(refusal('body-too-large', what))));
}

/** Encodes a refusal as a gRPC status for any program. Drops data that does not fit into metadata. */
export function toStatus(error: unknown): StatusObject {
  const problem = shortened(toProblem(error));
  const metadata = new Metadata();
  metadata.set(names.problem, Buffer.from(JSON.stringify(problem)));
  const details = (problem.detail ?? problem.title).slice(0, longestDetail).toWellFormed();
  return { code: statusOf(problem), details, metadata };
}

function statusOf({ code, status: http }: Problem): status {
  if (code === 'overloaded') return status.RESOURCE_EXHAUSTED;
  return statuses[http] ?? (http < 500 ? status.FAILED_PRECONDITION : status.INTERNAL);
}

function shortened(problem: Problem): Problem {
  if (Buffer.byteLength(JSON.stringify(problem)) <= maxMetadataBytes) return problem;
  const { issues } = problem as { issues?: Issue[] };
  if (Array.isArray(issues) && issues.length > 1) return shortened({ ...problem, issues: issues.slice(0, -1) });
  const { type, title, status: http, code, detail } = problem;
  return { type, title, status: http, code, ...(detail !== undefined && { detail: detail.slice(0, longestDetail) }) };
}

const refusals: Partial<Record<status, KernelCode>> = {
  [status.NOT_FOUND]: 'not-found',
  [status.UNIMPLEMENTED]: 'not-found',
  [status.RESOURCE_EXHAUSTED]: 'too-many-requests',
};

/** Matches the texts by which grpc-js reports a call without a connection. A call with any other text counts as sent. */
const notSent = /^(No connection established|Name resolution failed)/;
/** Matches the texts by which grpc-js reports a stream that ended without a status. */
const cutOff = /RST_STREAM|HTTP\/2 stream|^No status information/;

/** Maps a status to a refusal. The status may come from a Kerf process, from another program, or from gRPC in this process. */
export function fromStatus({ code, details, metadata }: StatusObject, what: { module: string; name: string }): Error {
  const [bytes] = metadata.get(names.problem);
  const problem = bytes && readProblem(bytes);
  if (problem) return fromProblem(problem);
  if (code === status.DEADLINE_EXCEEDED) return saidLate(what);
  if (code === status.INVALID_ARGUMENT) return invalidInput([{ path: '', message: details }]);
  if (code === status.RESOURCE_EXHAUSTED && details.includes('larger than')) return refusal('body-too-large', details);
  const cause = new Error(`gRPC status ${status[code]}: ${details}`);
  // A refusal without a problem comes from no Kerf process. It refuses this process, which is the only identity that it sees.
  const notAccepted = code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED;
  const unanswered = notAccepted || code === status.UNAVAILABLE || code === status.CANCELLED || cutOff.test(details);
  if (unanswered) return unreachableBecause(what.module, cause, !notSent.test(details));
  return refusal(refusals[code] ?? 'internal', undefined, {}, { cause });
}

/** Returns the refusal in the message of an answer, if its metadata announces one. */
export function refusalIn(metadata: Metadata, message: Buffer): Error | undefined {
  if (metadata.get(names.problemMessage).length === 0) return undefined;
  const problem = readProblem(message);
  return problem ? fromProblem(problem) : refusal('internal');
}

function readProblem(bytes: Buffer | string): Problem | undefined {
  try {
    const problem: unknown = JSON.parse(bytes.toString());
    return isProblem(problem) ? problem : undefined;
  } catch {
    return undefined;
  }
}
