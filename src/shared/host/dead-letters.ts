import type { Hono } from 'hono';
import { z } from 'zod';
import { parseInput } from '../contract/index.ts';
import { refusal } from '../errors/index.ts';
import type { DeadLetter, DeadLetterFilter } from '../events/index.ts';
import type { OpenModule } from '../module/index.ts';
import type { Others } from './others.ts';

const text = z.string().min(1).max(500);
const filterSchema = z.strictObject({
  module: text.optional(),
  type: text.optional(),
  key: text.optional(),
  error: text.optional(),
});
const listSchema = filterSchema.extend({
  limit: z.coerce.number().int().min(1).max(100).default(100),
  here: z.string().optional(),
});
const reasonSchema = z.strictObject({ reason: text });
const discardSchema = filterSchema.extend({ reason: text });

interface Parts {
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly others: Others;
}

/**
 * What operators do about dead letters: list them, read one with its history, have one or all that fit a filter tried again,
 * or discard them with a reason. A letter is named `{module}.{letter}`, such as `notifications.in-12`.
 */
export function serveDeadLetters(app: Hono, { open, others }: Parts): void {
  app.get('/ops/dead-letters', async (c) => {
    const { here, limit, module, ...filter } = parseInput(listSchema, c.req.query());
    const lists = [...open.values()].filter(({ name }) => !module || name === module);
    const items = await Promise.all(
      lists.map(async (each) => shownAll(each, await each.deadLetters.list(filter, limit))),
    );
    const path = withQuery('/ops/dead-letters', c.req.query());
    const elsewhere = here === undefined ? await others.everywhere({ method: 'GET', path }) : [];
    const found = [...items.flat(), ...elsewhere.flatMap((each) => each.items)] as { module: string }[];
    return c.json({ items: found.filter((each) => !module || each.module === module) });
  });

  app.get('/ops/dead-letters/:id', async (c) => {
    const { module, letter } = named(c.req.param('id'));
    const here = open.get(module);
    if (here) return c.json(shown(here, await here.deadLetters.read(letter)));
    return c.json((await others.one(module, { method: 'GET', path: c.req.path })) as object);
  });

  const decideAll = (
    what: 'replay' | 'discard',
    schema: typeof discardSchema | typeof filterSchema,
    decide: (module: OpenModule, filter: DeadLetterFilter, reason: string) => Promise<number>,
  ) =>
    app.post(`/ops/dead-letters/${what}`, async (c) => {
      const body = parseInput(schema, await bodyOf(c.req.raw));
      const { module, reason = '', ...filter } = body as z.infer<typeof discardSchema>;
      const meant = [...open.values()].filter(({ name }) => !module || name === module);
      const counts = await Promise.all(meant.map((each) => decide(each, filter, reason)));
      const here = meant.map(({ name }, index) => ({ module: name, count: counts[index]! }));
      const path = c.req.path;
      const elsewhere =
        c.req.query('here') === undefined ? await others.everywhere({ method: 'POST', path, body }) : [];
      return c.json({ items: [...here, ...elsewhere.flatMap(({ items }) => items)].filter(isTold) });
    });
  decideAll('replay', filterSchema, (module, filter) => module.deadLetters.replayAll(filter));
  decideAll('discard', discardSchema, (module, filter, reason) => module.deadLetters.discardAll(filter, reason));

  const decideOne = (
    what: 'replay' | 'discard',
    decide: (module: OpenModule, letter: string, body: unknown) => Promise<void>,
  ) =>
    app.post(`/ops/dead-letters/:id/${what}`, async (c) => {
      const { module, letter } = named(c.req.param('id'));
      const body = await bodyOf(c.req.raw);
      const here = open.get(module);
      if (!here) return c.json((await others.one(module, { method: 'POST', path: c.req.path, body })) as object);
      await decide(here, letter, body);
      return c.json(shown(here, await here.deadLetters.read(letter)));
    });
  decideOne('replay', (module, letter) => module.deadLetters.replay(letter));
  decideOne('discard', (module, letter, body) =>
    module.deadLetters.discard(letter, parseInput(reasonSchema, body).reason),
  );
}

function named(id: string): { module: string; letter: string } {
  const [module, letter, ...rest] = id.split('.');
  if (!module || !letter || rest.length > 0)
    throw refusal('not-found', `there is no dead letter ${id}; they are named as GET /ops/dead-letters lists them`);
  return { module, letter };
}

function shown({ name }: OpenModule, { id, ...letter }: DeadLetter) {
  return { module: name, id: `${name}.${id}`, ...letter };
}

function shownAll(module: OpenModule, letters: readonly DeadLetter[]) {
  return letters.map((letter) => shown(module, letter));
}

/** A module that had none to decide on is no news; one that could not be asked is. */
function isTold(row: unknown): boolean {
  return (row as { count?: number }).count !== 0;
}

async function bodyOf(request: Request): Promise<unknown> {
  const given = await request.text();
  if (given === '') return {};
  try {
    return JSON.parse(given);
  } catch {
    throw refusal('malformed-body', 'the body is not JSON');
  }
}

export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams(query as Record<string, string>).toString();
  return search ? `${path}?${search}` : path;
}
