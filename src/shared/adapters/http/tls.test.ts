import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { isNotSent } from '../../kernel/calls/index.ts';
import type { TlsMaterial } from '../../kernel/ports/index.ts';
import { wireCases } from '../../kernel/ports/wire.cases.ts';
import { type Callee, clientOver, openCallee, openWire } from './http.cases.ts';

interface Authority {
  readonly ca: Buffer;
  /** A certificate for an address, and its key. */
  issue(ip?: string): Promise<{ cert: Buffer; key: Buffer }>;
}

async function foundAuthority(name: string): Promise<Authority> {
  const kind = { keyType: 'ec', algorithm: 'sha256' } as const;
  const own = await generate([{ name: 'commonName', value: name }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return {
    ca: Buffer.from(own.cert),
    async issue(ip = '127.0.0.1') {
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'kerf' }], {
        ...kind,
        ca: { key: own.private, cert: own.cert },
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }],
      });
      return { cert: Buffer.from(cert), key: Buffer.from(key) };
    },
  };
}

const [ours, others] = await Promise.all([foundAuthority('ours'), foundAuthority('others')]);
const shown = await ours.issue();

wireCases('https', () => openWire({ ...shown, ca: ours.ca, mutual: true }));

describe('an HTTPS call', () => {
  let opened: Callee;
  afterEach(() => opened.close());

  /** Makes a call with this TLS material. Resolves with the outcome. */
  async function callAs(tls: TlsMaterial, address = opened.address): Promise<unknown> {
    const call = clientOver(opened.link({ tls, address })).echo({ text: 'x' });
    return call.catch((error) => [error.code, isNotSent(error)]);
  }

  it('accepts a certificate of our CA, and rejects others', async () => {
    opened = await openCallee({ tls: shown });
    expect(await callAs({ ca: ours.ca })).toEqual({ text: 'x' });
    for (const tls of [{ ca: others.ca }, {}]) expect(await callAs(tls)).toEqual(['unavailable', true]);
  });

  it('rejects a certificate for another address', async () => {
    opened = await openCallee({ tls: await ours.issue('127.0.0.2') });
    expect(await callAs({ ca: ours.ca })).toEqual(['unavailable', true]);
  });

  describe('with mutual TLS', () => {
    const open = async () => {
      opened = await openCallee({ tls: { ...shown, ca: ours.ca, mutual: true } });
    };

    it('is served with a client certificate of our CA', async () => {
      await open();
      expect(await callAs({ ...(await ours.issue()), ca: ours.ca })).toEqual({ text: 'x' });
    });

    it('is refused without a client certificate, or with one of another CA', async () => {
      await open();
      for (const tls of [{ ca: ours.ca }, { ...(await others.issue()), ca: ours.ca }]) {
        expect(await callAs(tls)).toEqual(['unavailable', expect.any(Boolean)]);
      }
    });
  });

  it('does not mix with plain text, in either direction', async () => {
    opened = await openCallee({ tls: shown });
    expect(await callAs({}, opened.address.replace('https', 'http'))).toEqual(['unavailable', false]);
    await opened.close();
    opened = await openCallee();
    expect(await callAs({ ca: ours.ca }, opened.address.replace('http', 'https'))).toEqual(['unavailable', true]);
  });
});
