/**
 * The refusals that any call may receive. A contract adds its own codes; it cannot redefine these.
 * A test compares the table in docs/errors.md with this one.
 */
export const kernelCodes = {
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'malformed-body': { status: 400, title: 'The body cannot be read' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'The caller has no permission' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'The current state does not allow this' },
  'precondition-failed': { status: 412, title: 'The resource is not in the expected state' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'invalid-input': { status: 422, title: 'The input is invalid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  cancelled: { status: 499, title: 'The caller has gone' },
  internal: { status: 500, title: 'Internal error' },
  'no-streams': { status: 501, title: 'The transport of the module carries no streams' },
  unavailable: { status: 503, title: 'A required part of the system cannot be reached' },
  'move-failed': { status: 503, title: 'The module could not be moved; it is where it was' },
  overloaded: { status: 503, title: 'The system is overloaded' },
  timeout: { status: 504, title: 'No answer in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type KernelCode = keyof typeof kernelCodes;

export function isKernelCode(code: string): code is KernelCode {
  return Object.hasOwn(kernelCodes, code);
}
