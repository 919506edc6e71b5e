/** A line of the log of a process, in Elastic Common Schema. */
export interface LogLine {
  readonly '@timestamp': string;
  readonly 'log.level': string;
  readonly 'service.name': string;
  readonly 'process.pid': number;
  readonly 'service.node.name': string;
  readonly 'event.sequence': number;
  readonly 'trace.id'?: string;
  readonly 'http.request.id'?: string;
  readonly message: string;
  readonly error?: { readonly type: string; readonly message: string; readonly stack_trace: string };
  readonly kerf?: Readonly<Record<string, unknown>>;
}

/** Returns the lines of a log among all that processes write to standard error. */
export function logLines(text: string): LogLine[] {
  const lines = text.split('\n').filter((line) => line.startsWith('{"log.level"'));
  return lines.map((line) => JSON.parse(line));
}

/** What the tests of this project give to members, and what sessions and processes prove themselves with. */
const secrets = [/[\w.+-]+@example\.(?:com|org)/, /correct horse/, /\beyJ[\w-]{10,}\.[\w-]+/, /\$argon2/];

/** Throws when a log contains an address or a password of a member, or a token. */
export function refuseSecrets(log: string, ...further: readonly string[]): void {
  const found = secrets.flatMap((pattern) => pattern.exec(log)?.[0] ?? []);
  const leaked = [...found, ...further.filter((each) => log.includes(each))];
  if (leaked.length > 0) throw new Error(`the log contains what it must not: ${leaked.join(', ')}\n${log}`);
}
