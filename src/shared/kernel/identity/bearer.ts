/** Returns the token of an `Authorization: Bearer …` header. */
export function bearer(header: string | undefined | null): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(header ?? '')?.[1];
}
