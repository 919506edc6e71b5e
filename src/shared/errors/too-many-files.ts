const codes = new Set<unknown>(['EMFILE', 'ENFILE']);

/** What to do about an error that means that no more files or connections may be open; `undefined` for any other. */
export function whyTooManyFiles(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  if (!codes.has(code)) return undefined;
  const whose = code === 'EMFILE' ? 'this process has' : 'all processes together have';
  return `${whose} as many files and connections open as the system allows (${code}); raise the limit (ulimit -n, LimitNOFILE of systemd, nofile of the container)`;
}
