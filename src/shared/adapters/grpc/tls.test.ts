import { isIP } from 'node:net';
import { generate } from 'selfsigned';
import { beforeAll, describe, expect, it } from 'vitest';
import { sample } from '../../kernel/calls/transport.cases.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import { GrpcTransport } from './client.ts';
import { clientOver, errorOf, openScene, tokens } from './grpc.cases.ts';

interface Authority {
  readonly ca: Buffer;
  /** A certificate for a name or an address. */
  issue(name?: string): Promise<{ cert: Buffer; key: Buffer }>;
}

const named = (value: string) => [{ name: 'commonName', value }];

async function authority(name: string): Promise<Authority> {
  const own = await generate(named(name), {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return {
    ca: Buffer.from(own.cert),
    async issue(name = '127.0.0.1') {
      const { cert, private: key } = await generate(named('kerf'), {
        keyType: 'ec',
        algorithm: 'sha256',
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: 'subjectAltName', altNames: [isIP(name) ? { type: 7, ip: name } : { type: 2, value: name }] },
        ],
      });
      return { cert: Buffer.from(cert), key: Buffer.from(key) };
    },
  };
}

describe('grpc over TLS', () => {
  let ours: Authority;
  let others: Authority;
  beforeAll(async () => {
    [ours, others] = await Promise.all([authority('ours'), authority('others')]);
  });

  /** Calls `server` with the TLS material of each caller. Resolves with the outcomes. */
  async function callsOf(callers: TlsMaterial[], server: TlsMaterial): Promise<unknown[]> {
    const { link, close } = await openScene({ tls: server });
    const outcomes: unknown[] = [];
    for (const caller of callers) {
      const call = clientOver(link(caller)).echo({ text: 'x' });
      outcomes.push(await call.catch(({ code, cause }) => `${code}: ${cause?.message}`));
    }
    await close();
    return outcomes;
  }

  it('accepts a certificate of our CA, and rejects others', async () => {
    const server = await ours.issue();
    const [trusting, wary] = await callsOf([{ ca: ours.ca }, { ca: others.ca }], server);
    expect(trusting).toEqual({ text: 'x' });
    expect(wary).toMatch(/^unavailable: .*certificate/);
  });

  it('accepts a certificate for the called address, and rejects others', async () => {
    for (const name of ['127.0.0.2', 'localhost']) {
      const [error] = await callsOf([{ ca: ours.ca }], await ours.issue(name));
      expect(error).toMatch(/^unavailable: .*127\.0\.0\.1/);
    }
    const { at, close } = await openScene({ tls: await ours.issue('localhost') });
    const address = `grpcs://localhost:${at.split(':')[1]}`;
    const link = new GrpcTransport({ module: 'sample', contract: sample, address, tokens, tls: { ca: ours.ca } });
    expect(await clientOver(link).echo({ text: 'x' })).toEqual({ text: 'x' });
    await link.close();
    await close();
  });

  it('can require a certificate of the caller', async () => {
    const server = { ...(await ours.issue()), ca: ours.ca, mutual: true };
    const callers = [
      { ...(await ours.issue()), ca: ours.ca },
      { ca: ours.ca },
      { ...(await others.issue()), ca: ours.ca },
    ];
    const [known, unknown, wrong] = await callsOf(callers, server);
    expect(known).toEqual({ text: 'x' });
    expect([unknown, wrong]).toEqual([expect.stringMatching(/^unavailable/), expect.stringMatching(/^unavailable/)]);
  });

  it('does not mix with plain text, in either direction', async () => {
    const { link, close } = await openScene({ tls: await ours.issue() });
    expect((await errorOf(clientOver(link()).echo({ text: 'x' }))).code).toBe('unavailable');
    await close();
    const plain = await openScene();
    expect((await errorOf(clientOver(plain.link({ ca: ours.ca })).echo({ text: 'x' }))).code).toBe('unavailable');
    await plain.close();
  });
});
