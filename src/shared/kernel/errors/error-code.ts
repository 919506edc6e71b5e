/** Returns the `code` of an error of Node, SQLite or a library, such as `ENOENT`; `undefined` for any value without a text as its code. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
