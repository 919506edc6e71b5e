import { expect, it } from 'vitest';
import type { Kerf } from '../../harness/kerf.ts';

/** Requests that the gateway refuses before it reads the body. */
const unread: [method: string, path: string, bytes: number, status: number][] = [
  ['POST', '/posts', 900_000, 401],
  ['POST', '/nowhere', 900_000, 404],
  ['POST', '/messages', 900_000, 405],
  ['POST', '/posts', 2 * 1024 * 1024, 413],
];

/** Tests requests with an unread body. `fetch` reuses connections: leftover bytes of a body would break the next request. */
export function unreadCases(around: { kerf: Kerf }): void {
  it('reuses a connection after a request whose body it did not read', async () => {
    const statuses: number[] = [];
    for (const [method, path, bytes] of Array(10).fill(unread).flat() as typeof unread) {
      const answer = await fetch(`${around.kerf.url}${path}`, {
        method,
        body: 'x'.repeat(bytes),
        headers: { 'content-type': 'application/json' },
      });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual(
      Array(10)
        .fill(unread.map(([, , , status]) => status))
        .flat(),
    );
  });
}
