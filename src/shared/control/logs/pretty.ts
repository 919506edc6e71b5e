import { styleText } from 'node:util';

const colors = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

interface Line {
  readonly '@timestamp'?: string;
  readonly 'log.level'?: keyof typeof colors;
  readonly 'service.name'?: string;
  readonly 'trace.id'?: string;
  readonly message?: string;
  readonly error?: { readonly type?: string; readonly message?: string; readonly stack_trace?: string };
  readonly kerf?: Readonly<Record<string, unknown>>;
}

/** Formats a line of the log for a person: time, level, module and message, then its fields, then the stack of its error. */
export function prettyLine(json: string): string {
  const line = JSON.parse(json) as Line;
  const level = line['log.level'] ?? 'info';
  const time = styleText('gray', (line['@timestamp'] ?? '').slice(11, 23), { validateStream: false });
  const shownLevel = styleText(colors[level], level.padEnd(5), { validateStream: false });
  const trace = line['trace.id'] && { trace: line['trace.id'] };
  const fields = Object.entries({ ...line.kerf, ...trace }).map(([name, value]) => `${name}=${shown(value)}`);
  const head = [
    time,
    shownLevel,
    `${line['service.name'] ?? ''}:`,
    printable(line.message ?? '').replaceAll('\n', '\\n'),
    ...fields,
  ].join(' ');
  const { error } = line;
  const stack = error && (error.stack_trace ?? `${error.type ?? 'Error'}: ${error.message ?? ''}`);
  return stack ? `${head}\n    ${printable(stack).replaceAll('\n', '\n    ')}\n` : `${head}\n`;
}

function shown(value: unknown): string {
  return printable(typeof value === 'string' && /^[^\s"]+$/.test(value) ? value : JSON.stringify(value));
}

/** Control characters could move the cursor or change the title of a terminal. */
function printable(text: string): string {
  return text.replace(
    /[\0-\x08\x0b-\x1f\x7f-\x9f]/g,
    (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
