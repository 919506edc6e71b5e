import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

const kind = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate authority for processes. It keeps its certificates and keys as files in one folder. */
export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'kerf-authority-'));
  private readonly own: { cert: string; private: string };

  private constructor(own: { cert: string; private: string }) {
    this.own = own;
  }

  static async found(name: string): Promise<Authority> {
    const own = await generate([{ name: 'commonName', value: name }], {
      ...kind,
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    });
    const authority = new Authority(own);
    authority.#write('ca.pem', own.cert);
    return authority;
  }

  /** Issues a certificate for an address. Returns the process's settings: the files of the certificate, its key and the CA bundle. */
  async settings(ip = '127.0.0.1'): Promise<TlsSettings> {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'kerf' }], {
      ...kind,
      ca: { key: this.own.private, cert: this.own.cert },
      extensions: [
        {
          name: 'subjectAltName',
          altNames: [
            { type: 7, ip },
            { type: 2, value: 'localhost' },
          ],
        },
      ],
    });
    return {
      INTERNAL_TLS_CERT: this.#write(`${ip}.cert.pem`, cert),
      INTERNAL_TLS_KEY: this.#write(`${ip}.key.pem`, key),
      INTERNAL_TLS_CA: join(this.folder, 'ca.pem'),
    };
  }

  /** Removes the issued files. */
  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  #write(name: string, pem: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, pem);
    return file;
  }
}

export type TlsSettings = Record<'INTERNAL_TLS_CERT' | 'INTERNAL_TLS_KEY' | 'INTERNAL_TLS_CA', string>;
