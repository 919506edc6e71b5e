import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answer, type Endpoint, Resources } from '../../kernel/http-api/index.ts';
import { describeApi } from './openapi.ts';

interface Document {
  paths: Record<string, Record<string, { operationId: string; parameters: { name: string; required: boolean }[] }>>;
  components: { schemas: Record<string, { type?: string }> };
}

function get(path: string, more: Partial<Endpoint> = {}): Endpoint {
  return { method: 'get', path, summary: path, answers: { 200: z.object({}) }, ...more };
}

function documentOf(...endpoints: Endpoint[]): Document {
  const resources = endpoints.map((each) => new Resources('test').add(each, async () => answer(200, {})));
  return JSON.parse(JSON.stringify(describeApi(resources)));
}

const idsOf = ({ paths }: Document) =>
  Object.values(paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));

describe('the ids of operations', () => {
  it('consist of the method and the words of the path', () => {
    const document = documentOf(get('/orders'), get('/orders/:id'), get('/orders/:id/cancel', { method: 'post' }));
    expect(idsOf(document)).toEqual(['getOrders', 'getOrdersId', 'postOrdersIdCancel']);
  });

  it('are unique for all paths in any order', () => {
    const words = fc.constantFrom('a', 'A', 'b', 'b-c', ':b', ':c', 'b_c', '_2f_a', '-', 'a.b', ':d{[0-9]+}');
    const paths = fc.uniqueArray(
      fc.array(words, { minLength: 1, maxLength: 3 }).map((all) => `/${all.join('/')}`),
      { maxLength: 6, selector: (path) => path.replaceAll(/:\w+(\{.*?\})?/g, ':') },
    );
    fc.assert(
      fc.property(paths, (all) => {
        const ids = idsOf(documentOf(...all.map((path) => get(path))));
        expect(new Set(ids).size).toBe(all.length);
        expect(idsOf(documentOf(...all.toReversed().map((path) => get(path)))).sort()).toEqual([...ids].sort());
      }),
    );
    expect(idsOf(documentOf(get('/a/b-c'), get('/a/b/c'), get('/x')))).toEqual([
      'get_2f_a_2f_b_2d_c',
      'get_2f_a_2f_b_2f_c',
      'getX',
    ]);
  });
});

describe('a recursive schema', () => {
  const category = z.object({
    name: z.string(),
    get children() {
      return z.array(category);
    },
  });
  const shared = z.object({ n: z.int() }).meta({ id: 'Shared' });

  /** Returns the target of each `$ref`. */
  function targetsIn(document: Document): unknown[] {
    const found: unknown[] = [];
    JSON.stringify(document, (key, value) => {
      if (key === '$ref')
        found.push(
          value
            .slice(2)
            .split('/')
            .reduce((at: never, part: string) => at?.[part], document as never),
        );
      return value;
    });
    return found;
  }

  it.each<[string, Endpoint]>([
    ['an answer', get('/a', { answers: { 200: category } })],
    ['a field of an answer', get('/a', { answers: { 200: z.object({ root: category.optional() }) } })],
    ['a body', get('/a', { method: 'post', body: z.object({ root: category }) })],
    [
      'a body and two answers',
      get('/a', { method: 'post', body: category, answers: { 200: category, 201: z.array(category) } }),
    ],
    ['a named schema', get('/a', { answers: { 200: z.object({ one: shared, other: shared }) } })],
  ])('resolves in %s', (_, endpoint) => {
    const document = documentOf(endpoint, get('/b', endpoint), get('/c', { answers: { 200: category } }));
    const targets = targetsIn(document);
    expect(targets.length).toBeGreaterThan(2);
    for (const target of targets) expect(target).toMatchObject({ type: 'object' });
    for (const name of Object.keys(document.components.schemas)) expect(name).toMatch(/^[\w.-]+$/);
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('gives two schemas with the same name different keys', () => {
    const other = z.object({ other: z.string() });
    const answers = (each: z.ZodObject) => ({ 200: z.object({ one: each, two: each }) });
    const { components, paths } = documentOf(
      get('/a', { answers: answers(shared) }),
      get('/b', { answers: answers(other.meta({ id: 'Shared.' })) }),
      get('/c', { answers: answers(shared) }),
    );
    expect(Object.keys(components.schemas)).toEqual(['Problem', 'Shared', 'Shared.']);
    expect(JSON.stringify(paths['/c'])).toContain('#/components/schemas/Shared"');
  });
});

it('a parameter is required unless it is optional, also when its check throws', () => {
  const throwing = z.string().refine(() => {
    throw new Error('not now');
  });
  const query = z.object({ must: z.string(), may: z.string().optional(), usual: z.int().default(1), throwing });
  const { parameters } = documentOf(get('/a', { query })).paths['/a']!.get!;
  expect(parameters.map(({ name, required }) => [name, required])).toEqual([
    ['must', true],
    ['may', false],
    ['usual', false],
    ['throwing', true],
  ]);
});

describe('the requirements of an endpoint', () => {
  const described = (parts: Partial<Endpoint>) => {
    const { security, description, responses } = documentOf(get('/a', parts)).paths['/a']!
      .get! as unknown as Requirements;
    return {
      security,
      description,
      refused: Object.keys(responses).filter((status) => ['401', '403'].includes(status)),
    };
  };
  interface Requirements {
    security?: unknown;
    description?: string;
    responses: Record<string, unknown>;
  }
  const refused = ['401', '403'];

  it('are a session, a session or an API key with one of several roles, or nothing', () => {
    expect(described({ member: true, roles: ['editor'] }).security).toEqual([{ session: ['editor'] }]);
    expect(described({})).toEqual({ refused: [] });
    expect(described({ member: true })).toEqual({ security: [{ session: [] }], refused });
    expect(described({ roles: ['editor', 'owner'] })).toEqual({
      security: [{ session: ['editor'] }, { session: ['owner'] }, { apiKey: ['editor'] }, { apiKey: ['owner'] }],
      description: 'Needs the role `editor` or `owner`.',
      refused,
    });
  });
});

describe('bodies that are no JSON', () => {
  const size = { maxBytes: 1, seconds: 1 };

  it('have their content types', () => {
    const { paths } = documentOf(
      get('/raw', { method: 'post', raw: size }),
      get('/copy', { method: 'post', upload: size, download: { ...size, contentType: 'text/csv' } }),
    ) as unknown as { paths: Record<string, { post: Record<string, never> }> };
    const bytes = { '*/*': { schema: { type: 'string', format: 'binary' } } };
    expect(paths['/raw']!.post).toMatchObject({ requestBody: { content: bytes }, responses: { 413: {} } });
    expect(paths['/copy']!.post).toMatchObject({
      requestBody: { content: bytes },
      responses: { 200: { content: { 'text/csv': {} } }, 413: {}, 501: {} },
    });
  });
});
