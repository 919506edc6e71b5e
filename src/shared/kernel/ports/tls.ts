/** The certificates and the key of a process that uses TLS, as PEM. */
export interface TlsMaterial {
  /** Certificate that this process shows to its clients, and to servers that ask for a client certificate. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** CA bundle used to verify other processes, instead of the public authorities. */
  readonly ca?: Buffer;
  /** Whether a client must show a certificate. */
  readonly mutual?: boolean;
}
