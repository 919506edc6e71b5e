import { headersOf, toProblem } from '../errors/index.ts';

/** Maps an error to a public problem response with a code. Hides internal details. `retryAfter` (seconds) becomes the header. */
export function problemResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const problem = toProblem(error);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, ...headersOf(problem) },
  });
}
