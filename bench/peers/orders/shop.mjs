// Common code of both applications: schemas, session tokens, and the ready line.
import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import { openStore } from './store.mjs';

const text = (max) => z.string().trim().min(1).max(max);

export const checkoutBody = z.strictObject({
  lines: z
    .array(z.strictObject({ sku: text(64), quantity: z.int().min(1).max(1_000) }))
    .min(1)
    .max(100),
  payment: z.strictObject({ token: text(200) }),
});
export const keyHeader = text(200).optional();
export const skuParam = text(64);
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.uuid().optional(),
});

const secret = new TextEncoder().encode('a benchmark has no secret to keep, of 32 bytes or more');
const audience = 'shop';

export function issue(member) {
  const token = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(member).setAudience(audience);
  return token.setIssuedAt().setExpirationTime('12h').sign(secret);
}

/** Resolves with the member of an `Authorization` header. Rejects for an invalid or expired token. */
export async function memberOf(authorization) {
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
  return (await jwtVerify(token, secret, { algorithms: ['HS256'], audience })).payload.sub;
}

export function openShop() {
  const store = openStore(process.env.SHOP_FILE, Number(process.env.SHOP_MEMBERS));
  return {
    ...store,
    place(memberId, { lines, payment }, key = uuid()) {
      const fingerprint = createHash('sha256')
        .update(JSON.stringify([lines, payment.token]))
        .digest('base64url');
      return store.place({ id: uuid(), memberId, lines, key, fingerprint, now: new Date().toISOString() });
    },
  };
}

export const statusOf = { 'idempotency-key-reused': 422, 'out-of-stock': 409 };

/** Prints one line with the address and the tokens of the members. Exits on SIGTERM. */
export async function ready(port, { members, close }) {
  const tokens = await Promise.all(members.map(issue));
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, tokens }));
  process.once('SIGTERM', () => {
    close();
    process.exit();
  });
}
