import { type KernelCode, kernelCodes } from './codes.ts';

/** One thing that does not fit in an input: where (`lines.0.quantity`) and why. */
export interface Issue {
  path: string;
  message: string;
}

/** An RFC 9457 problem: how a refusal looks on every wire, public and internal. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  [extension: string]: unknown;
}

/**
 * An answer of "no" that the caller is expected to handle. It carries a stable `code`, and survives every transport
 * unchanged. Any other error is a fault: callers see it as `internal`, with nothing of the inside.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** What a program needs to act on it. JSON only: it goes over the wire. */
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

/** Says no with one of the codes that every call may meet. */
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
 * Refuses the calling process, not the person or the module for whom it calls. Callers there meet it as `unavailable`: that two
 * processes do not accept each other is no mistake of theirs.
 */
export function betweenProcesses(code: 'unauthenticated' | 'forbidden', detail: string, cause?: unknown): Refusal {
  return refusal(code, detail, processesOnly, { cause });
}

/** Whether a process refused another process. */
export function isBetweenProcesses(error: unknown): error is Refusal {
  return isRefusal(error) && error.data.between === processesOnly.between;
}

export function invalidInput(issues: Issue[]): Refusal {
  const first = issues[0];
  const where = first?.path ? `${first.path}: ` : '';
  return refusal('invalid-input', first ? `${where}${first.message}` : undefined, { issues });
}

export function isRefusal(error: unknown, code?: string): error is Refusal {
  return error instanceof Refusal && (code === undefined || error.code === code);
}

const away = new Set(['unavailable', 'overloaded', 'timeout', 'cancelled']);
const transient = new Set([...away, 'internal', 'too-many-requests']);

/** Whether the same call may succeed later without a change: the callee was not reached, was late, or failed. */
export function isTransient(error: unknown): boolean {
  return !isRefusal(error) || transient.has(error.code);
}

/** Whether the part that was asked is not there, has too much to do, or is too late: nothing to blame the question for. */
export function isAway(error: unknown): boolean {
  return isRefusal(error) && away.has(error.code);
}

/** What an error says, whatever was thrown. */
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

/** The headers of HTTP that go with a problem. */
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
  const candidate = value as Partial<Problem> | null;
  return typeof candidate === 'object' && typeof candidate?.code === 'string' && typeof candidate.status === 'number';
}
