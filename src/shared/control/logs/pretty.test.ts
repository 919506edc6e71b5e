import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { prettyLine } from './pretty.ts';

const line = {
  ...{ '@timestamp': '2026-11-30T23:48:16.123Z', 'log.level': 'warn', 'service.name': 'payments' },
  ...{ kerf: { attempts: 3, why: 'too late', at: 'http://a:1' }, message: 'late' },
};
const plain = (given: object) => stripVTControlCharacters(prettyLine(`${JSON.stringify(given)}\n`));

it('shows time, level, module and message, then the fields, then the stack', () => {
  expect(plain(line)).toBe('23:48:16.123 warn  payments: late attempts=3 why="too late" at=http://a:1\n');
  const error = { type: 'Error', message: 'x', stack_trace: 'Error: x\n    at a' };
  expect(plain({ ...line, kerf: undefined, 'trace.id': 'abc', error })).toBe(
    '23:48:16.123 warn  payments: late trace=abc\n    Error: x\n        at a\n',
  );
});

it('lets no text move the cursor', () => {
  const hostile = '\u001b[2J\u0007\u009b';
  const shown = plain({ ...line, message: hostile, kerf: { a: hostile }, error: { stack_trace: hostile } });
  expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
