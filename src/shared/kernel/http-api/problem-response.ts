import { headersOf, toProblem } from '../errors/index.ts';

/** Any error as the public sees it: a problem with a code, and nothing of the inside. `retryAfter` (seconds) becomes the header. */
export function problemResponse(error: unknown, headers: Record<string, string> = {}): Response {
  const problem = toProblem(error);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, ...headersOf(problem) },
  });
}
