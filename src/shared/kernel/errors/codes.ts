/**
 * The refusals any call may meet, whoever answers it. A contract adds its own; it cannot redefine these.
 * The table in docs/errors.md is compared with this one by a test.
 */
export const kernelCodes = {
  'malformed-request': { status: 400, title: 'The request cannot be read' },
  'malformed-body': { status: 400, title: 'The body cannot be read' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'The caller may not ask this' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'This resource does not take that method' },
  conflict: { status: 409, title: 'It cannot be done as things stand' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'invalid-input': { status: 422, title: 'The input does not fit' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  cancelled: { status: 499, title: 'The caller has gone' },
  internal: { status: 500, title: 'Something failed on our side' },
  unavailable: { status: 503, title: 'A part that is needed cannot be reached' },
  'move-failed': { status: 503, title: 'A module could not be moved, and is where it was' },
  overloaded: { status: 503, title: 'There is too much to do at the moment' },
  timeout: { status: 504, title: 'There was no answer in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type KernelCode = keyof typeof kernelCodes;

export function isKernelCode(code: string): code is KernelCode {
  return Object.hasOwn(kernelCodes, code);
}
