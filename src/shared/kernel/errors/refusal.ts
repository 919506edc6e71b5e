import { type KernelCode, kernelCodes } from './codes.ts';

/** One validation issue of an input: its path (`lines.0.quantity`) and its reason. */
export interface Issue {
  path: string;
  message: string;
}

/** An RFC 9457 problem: the form of a refusal on every wire, public and internal. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  [extension: string]: unknown;
}

/**
 * A negative answer that the caller is expected to handle. It carries a stable `code`, and passes every transport
 * unchanged. Any other error is a fault: callers receive it as `internal`, without any details.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Data that a program needs to act on the refusal. JSON only, since it travels over the wire. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    status: number,
    title: string,
    detail?: string,
    data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(detail ?? title, options);
    this.code = code;
    this.status = status;
    this.title = title;
    this.data = data;
  }
}

/** Creates a refusal with one of the kernel's codes. */
export function refusal(
  code: KernelCode,
  detail?: string,
  data?: Readonly<Record<string, unknown>>,
  options?: ErrorOptions,
): Refusal {
  const { status, title } = kernelCodes[code];
  return new Refusal(code, status, title, detail, data, options);
}

const processesOnly = { between: 'processes' } as const;

/**
 * Creates a refusal of the calling process, not of the person or the module that it calls for. Callers in that process receive
 * `unavailable`: they did not cause the mistrust between the two processes.
 */
export function betweenProcesses(code: 'unauthenticated' | 'forbidden', detail: string, cause?: unknown): Refusal {
  return refusal(code, detail, processesOnly, { cause });
}

/** Returns whether a process refused another process. */
export function isBetweenProcesses(error: unknown): error is Refusal {
  return isRefusal(error) && error.data.between === processesOnly.between;
}

export function invalidInput(issues: Issue[]): Refusal {
  const first = issues[0];
  const where = first?.path ? `${first.path}: ` : '';
  return refusal('invalid-input', first ? `${where}${first.message}` : undefined, { issues });
}

/** Returns `value`. Refuses with `not-found` when there is none. `what` completes the message: `post`. */
export function orNotFound<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw refusal('not-found', `there is no such ${what}`);
  return value;
}

export function isRefusal(error: unknown, code?: string): error is Refusal {
  return error instanceof Refusal && (code === undefined || error.code === code);
}

const away = new Set(['unavailable', 'overloaded', 'timeout', 'cancelled']);
const transient = new Set([...away, 'internal', 'too-many-requests']);

/** Returns whether the same call may succeed later without a change: the callee was not reached, was late, or failed. */
export function isTransient(error: unknown): boolean {
  return !isRefusal(error) || transient.has(error.code);
}

/** Returns whether the callee is unavailable, overloaded or late, or the call was cancelled. The request is not to blame. */
export function isAway(error: unknown): boolean {
  return isRefusal(error) && away.has(error.code);
}

const failed: ReadonlySet<string> = new Set(['unavailable', 'timeout', 'internal', 'overloaded']);

/** Returns whether a call failed. A refusal that a contract declares, such as `out-of-stock`, is an answer. */
export function isFailure(error: unknown): boolean {
  return !isRefusal(error) || failed.has(error.code);
}

/** Returns the message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const reserved = new Set(['type', 'title', 'status', 'code', 'detail']);

export function toProblem(error: unknown): Problem {
  const refused = isRefusal(error) ? error : refusal('internal');
  const { code, status, title, data, message } = refused;
  return {
    ...data,
    type: `urn:kerf:problem:${code}`,
    title,
    status,
    code,
    ...(message !== title && { detail: message }),
  };
}

/** Returns the HTTP headers of a problem. */
export function headersOf({ status, retryAfter }: Problem): Record<string, string> {
  return {
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
  };
}

export function fromProblem(problem: Problem): Refusal {
  const data = Object.fromEntries(Object.entries(problem).filter(([name]) => !reserved.has(name)));
  return new Refusal(problem.code, problem.status, problem.title, problem.detail, data);
}

export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null || !('code' in value && 'status' in value)) return false;
  return typeof value.code === 'string' && typeof value.status === 'number';
}
