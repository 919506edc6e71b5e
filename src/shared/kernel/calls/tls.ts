/** What processes show each other when they speak TLS, as PEM. */
export interface TlsMaterial {
  /** Shown to who connects, and, where they ask for it, to whom this process connects. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** Whose certificates are believed, instead of the public authorities'. */
  readonly ca?: Buffer;
  /** Whether who connects must show a certificate. */
  readonly mutual?: boolean;
}
