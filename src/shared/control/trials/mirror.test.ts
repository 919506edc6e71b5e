import { expect, it } from 'vitest';
import { z } from 'zod';
import { command, contract, query } from '../../kernel/contract/index.ts';
import { mirrorSchema } from '../admin-contract/index.ts';
import { hasQueries, whatToMirror } from './mirror.ts';

const data = { summary: 'Does it', input: z.object({}), output: z.object({}) };
const both = contract('payments', { operations: { get: query(data), pay: command(data), list: query(data) } });
const commandsOnly = contract('mail', { operations: { send: command(data), resend: command(data) } });
const sent = { queries: 0, commands: 41 };
const mirror = mirrorSchema.parse({});

it('lists the queries and the calls so far', () => {
  expect(whatToMirror(both, sent, mirror)).toEqual({ operations: ['get', 'list'], sent });
  expect(hasQueries(both)).toBe(true);
});

it('is refused before the start when the module has only commands', () => {
  expect(() => whatToMirror(commandsOnly, sent, mirror)).toThrow(
    'there is nothing to mirror: a mirror compares the answers of queries, and mail has commands only (send, resend); leave the mirror out',
  );
});

it('is skipped when it is not required', () => {
  expect(whatToMirror(commandsOnly, sent, { ...mirror, required: false })).toEqual({ operations: [], sent });
  expect(hasQueries(commandsOnly)).toBe(false);
});
