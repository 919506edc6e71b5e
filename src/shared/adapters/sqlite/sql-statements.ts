import { createHash } from 'node:crypto';

/** One statement of an SQL text. */
export interface SqlStatement {
  readonly text: string;
  /** The line of the text on which it begins, from 1. */
  readonly line: number;
  /** Its tokens, without comments and white space. */
  readonly tokens: readonly string[];
}

/** `skipped` matches white space and comments; `token` matches literals, quoted names, words, numbers, and single characters. */
const skipped = /(?:[ \t\n\f\r\ufeff]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/y;
const token =
  /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[A-Za-z_$\x80-\uffff][\w$\x80-\uffff]*|\d[\w.]*|[\s\S]/y;

/** Splits SQL as SQLite does: a `;` within a literal, a comment or the body of a trigger does not end a statement. */
export function statementsOf(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let begin = { at: 0, line: 1 };
  let tokens: string[] = [];
  let [at, line] = [0, 1];
  const read = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ''] = pattern.exec(sql) ?? [];
    at += found.length;
    for (let index = found.indexOf('\n'); index >= 0; index = found.indexOf('\n', index + 1)) line += 1;
    return found;
  };
  const end = () => {
    if (tokens.some((each) => each !== ';'))
      statements.push({ text: sql.slice(begin.at, at), line: begin.line, tokens });
    tokens = [];
  };
  for (read(skipped); at < sql.length; read(skipped)) {
    if (tokens.length === 0) begin = { at, line };
    tokens.push(read(token));
    if (isComplete(tokens)) end();
  }
  end();
  return statements;
}

/** Tells whether the tokens end a statement. A trigger ends with `; END ;`, as in SQLite's own `sqlite3_complete`. */
function isComplete(tokens: readonly string[]): boolean {
  if (tokens.at(-1) !== ';') return false;
  const [first, second, third] = tokens.slice(0, 3).map((each) => each.toUpperCase());
  const isTrigger =
    first === 'CREATE' && (second === 'TRIGGER' || (/^TEMP(ORARY)?$/.test(second!) && third === 'TRIGGER'));
  return !isTrigger || (tokens.at(-2)?.toUpperCase() === 'END' && tokens.at(-3) === ';');
}

/** Returns a hash of the statements. Ignores comments and white space. */
export function hashOf(statements: readonly SqlStatement[]): string {
  const text = statements.map(({ tokens }) => tokens.join(' ').replace(/( ;)+$/, ''));
  return createHash('sha256').update(text.join('\n')).digest('base64url');
}
