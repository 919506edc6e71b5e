import { expect, it } from 'vitest';
import type { Operator } from '../../harness/operator.ts';

interface Around {
  operator: Operator;
}

type Ask = [method: string, path: string, body: unknown, outcome: string];

const asks: Ask[] = [
  ['GET', '/dead-letters/notifications.in-999999', undefined, '404 not-found'],
  ['GET', '/dead-letters/notifications.sideways-1', undefined, '404 not-found'],
  ['GET', '/dead-letters/notifications', undefined, '404 not-found'],
  ['GET', '/dead-letters/billing.in-1', undefined, '404 not-found'],
  ['GET', '/dead-letters/%2e%2e%2fnotifications.in-1', undefined, '404 not-found'],
  ['GET', "/dead-letters/notifications.in-1'%20or%201=1", undefined, '404 not-found'],
  ['GET', '/dead-letters/%ff', undefined, '404 not-found'],
  ['POST', '/dead-letters/notifications.in-999999/replay', undefined, '404 not-found'],
  ['POST', '/dead-letters/notifications.in-999999/discard', { reason: 'none' }, '404 not-found'],
  ['POST', '/dead-letters/notifications.in-1/revive', undefined, '404 not-found'],
  ['POST', '/dead-letters/notifications.in-999999/discard', undefined, '422 invalid-input'],
  ['POST', '/dead-letters/notifications.in-999999/discard', { reason: '' }, '422 invalid-input'],
  ['POST', '/dead-letters/discard', { key: 'x' }, '422 invalid-input'],
  ['POST', '/dead-letters/replay', { kind: 'x' }, '422 invalid-input'],
  ['POST', '/dead-letters/replay', { module: 'billing' }, '422 invalid-input'],
  ['POST', '/dead-letters/replay', { error: 7 }, '422 invalid-input'],
  ['POST', '/dead-letters/replay', [], '422 invalid-input'],
  ['POST', '/dead-letters/replay', '{"module":', '400 malformed-body'],
  ['GET', '/dead-letters?module=billing', undefined, '422 invalid-input'],
  ['GET', '/dead-letters?limit=0', undefined, '422 invalid-input'],
  ['GET', '/dead-letters?limit=many', undefined, '422 invalid-input'],
  ['GET', '/dead-letters?color=red', undefined, '422 invalid-input'],
  ['GET', '/dead-letters?limit=1&limit=2', undefined, '400 malformed-request'],
  ['GET', '/sagas?state=done&state=stuck', undefined, '400 malformed-request'],
  ['DELETE', '/modules/mail?by=a&by=b', undefined, '400 malformed-request'],
  ['DELETE', '/dead-letters/notifications.in-1', undefined, '405 method-not-allowed'],
  ['POST', '/dead-letters', {}, '405 method-not-allowed'],
  ['GET', '/dead-letters/notifications.in-1/replay', undefined, '405 method-not-allowed'],
  ['PUT', '/outbox', {}, '405 method-not-allowed'],
  ['GET', '/outbox?module=mail', undefined, '422 invalid-input'],
  ['GET', '/topology?all=yes', undefined, '422 invalid-input'],
  ['GET', '/modules/mail?all=yes', undefined, '422 invalid-input'],
  ['GET', '/advice?per=payments.authorize.x', undefined, '422 invalid-input'],
];

/** Tests refused admin requests in every placement. Each answer is a problem with a code, without internal details. */
export function refusedCases(around: Around): void {
  it.each(asks)('%s %s %j is refused', async (method, path, body, outcome) => {
    const { status, headers, body: problem } = await around.operator.ask(method, path, body);
    expect(`${status} ${problem.code}`).toBe(outcome);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(problem)).not.toMatch(/sqlite|select|node:|\.ts|stack/i);
  });

  it('an unsupported method gets the list of allowed methods', async () => {
    const { headers } = await around.operator.ask('PATCH', '/modules/mail', {});
    expect(headers.get('allow')).toBe('GET, HEAD, DELETE, PUT');
  });

  it('every request without a valid token gets 401', async () => {
    for (const [method, path, body] of asks) {
      const { status } = await around.operator.as('a-token-of-somebody-else').ask(method, path, body);
      expect(status, `${method} ${path}`).toBe(401);
    }
  });
}
