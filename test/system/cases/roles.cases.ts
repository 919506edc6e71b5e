import { expect, it } from 'vitest';
import { Operator } from '../../harness/operator.ts';
import type { Product, Shop } from '../../harness/shop.ts';
import type { System } from './system.ts';

const glue = { name: 'Hide glue', price: { amount: 15_000, currency: 'KRW' } };
const withDescription = (description: string) => ({ ...glue, description });

export function roleCases(system: System): void {
  const idOf = async (shop: Shop) => (await shop.get<{ id: string }>('/members/me')).body.id;
  const change = (shop: Shop, body: unknown, headers?: Record<string, string>) =>
    shop.send<{ code?: string; detail?: string }>('PUT', '/products/GLUE', body, headers);

  it('let an operator give a member a role, which holds until it is taken away, without another sign-in', async () => {
    const operator = new Operator(system.kerf);
    const editor = await system.shop.join({ name: 'Editor' });
    const member = await idOf(editor);
    const body = withDescription('Reversible, 250 ml, from hides');
    const refused = { status: 403, body: { code: 'forbidden', detail: 'this needs the role catalog-editor' } };
    expect(await change(editor, body)).toMatchObject(refused);

    const given = await operator.ask('PUT', '/roles', { member, roles: ['catalog-editor'] });
    expect(given.status).toBe(200);
    expect(await change(editor, body)).toMatchObject({ status: 200, body: { sku: 'GLUE', ...body } });
    expect((await editor.get<Product>('/products/GLUE')).body).toMatchObject(body);
    expect(await change(system.ada, body)).toMatchObject(refused);

    expect((await operator.ask('PUT', '/roles', { member, roles: [] })).status).toBe(200);
    expect(await change(editor, withDescription('Not allowed'))).toMatchObject(refused);
    expect((await editor.get<Product>('/products/GLUE')).body).toMatchObject(body);
  });

  it('cannot be claimed by a client', async () => {
    const body = withDescription('Not allowed');
    const member = await idOf(system.ada);
    const claims = Buffer.from(JSON.stringify({ iss: member, aud: '/member', roles: ['catalog-editor'] }));
    const forged = `eyJhbGciOiJub25lIn0.${claims.toString('base64url')}.`;
    const claimed: Record<string, string>[] = [
      { 'kerf-member': forged },
      { 'kerf-roles': 'catalog-editor', 'x-roles': 'catalog-editor', roles: 'catalog-editor' },
      { baggage: 'roles=catalog-editor', prefer: 'roles=catalog-editor' },
    ];
    for (const headers of claimed) {
      expect(await change(system.ada, body, headers)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      expect(await change(system.shop, body, headers)).toMatchObject({
        status: 401,
        body: { code: 'unauthenticated' },
      });
    }
    const smuggled = { ...body, roles: ['catalog-editor'], member };
    expect(await change(system.ada, smuggled)).toMatchObject({ status: 403 });
    expect((await system.shop.get<Product>('/products/GLUE')).body.description).not.toBe('Not allowed');
  });

  it('are refused before the input is looked at, and the input is checked for who has the role', async () => {
    const operator = new Operator(system.kerf);
    const editor = await system.shop.join({ name: 'Other editor' });
    expect(await change(editor, '{')).toMatchObject({ status: 403 });
    await operator.ask('PUT', '/roles', { member: await idOf(editor), roles: ['catalog-editor'] });
    expect(await change(editor, { ...glue, price: null })).toMatchObject({ status: 422 });
    expect(await change(editor, '{')).toMatchObject({ status: 400, body: { code: 'malformed-body' } });
  });

  it('are refused to an operator when no endpoint asks for them', async () => {
    const operator = new Operator(system.kerf);
    const member = await idOf(system.ada);
    for (const role of ['admin', 'Catalog-Editor', 'catalog-editor ', 'c\u0430talog-editor', '__proto__']) {
      const { status, body } = await operator.ask('PUT', '/roles', { member, roles: ['catalog-editor', role] });
      const message = `there is no role "${role}"; there are catalog-editor`;
      expect({ status, body }).toMatchObject({ status: 422, body: { issues: [{ path: 'roles.1', message }] } });
    }
    expect((await operator.as('not-the-operator-token').ask('GET', '/roles')).status).toBe(401);
  });
}
