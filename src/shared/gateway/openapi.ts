import { z } from 'zod';
import { isKernelCode, kernelCodes } from '../errors/index.ts';
import type { Endpoint, Resources } from '../routes/index.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of all public resources, from the same data that serves them. */
export function describeApi(resources: readonly Resources[]): Json {
  const paths: Record<string, Json> = {};
  for (const each of resources) {
    for (const endpoint of each.endpoints) {
      const path = endpoint.path.replaceAll(/:(\w+)/g, '{$1}');
      paths[path] = { ...paths[path], [endpoint.method]: describeEndpoint(endpoint, each) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kerf', version: '1.0.0', description: 'Errors are RFC 9457 problem details with a stable `code`.' },
    paths,
    components: {
      securitySchemes: { session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: problemSchema },
    },
  };
}

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
  },
};

function describeEndpoint(endpoint: Endpoint, { tag, contract }: Resources): Json {
  const { about, member, params, query, headers, body, answers, refusals = [] } = endpoint;
  const takesInput = params || query || headers || body;
  const codes = [
    ...refusals,
    ...(member ? ['unauthenticated'] : []),
    ...(takesInput ? ['invalid-input'] : []),
    ...(body ? ['malformed-body', 'body-too-large'] : []),
    'too-many-requests',
    'unavailable',
    'timeout',
  ];
  return {
    tags: [tag],
    summary: about,
    operationId: `${endpoint.method}${endpoint.path.replaceAll(/[/:-]+(\w)/g, (_, first: string) => first.toUpperCase())}`,
    ...(member && { security: [{ session: [] }] }),
    parameters: [...parameters('path', params), ...parameters('query', query), ...parameters('header', headers)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: { ...success(answers), ...refused(codes, contract) },
  };
}

function parameters(where: 'path' | 'query' | 'header', schema: z.ZodObject | undefined): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, each]) => ({
    name,
    in: where,
    required: where === 'path' || !(each as z.ZodType).safeParse(undefined).success,
    schema: schemaOf(each as z.ZodType, 'input'),
  }));
}

const outcomes: Record<string, string> = { 202: 'Not decided yet', 503: 'Not now' };

function success(answers: Endpoint['answers']): Json {
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: outcomes[status] ?? 'Done',
        content: { 'application/json': { schema: schemaOf(schema, 'output') } },
      },
    ]),
  );
}

/** One response for each status; its description lists the codes that come with it. */
function refused(codes: readonly string[], contract: Resources['contract']): Json {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const known = isKernelCode(code) ? kernelCodes[code] : contract?.errors[code];
    if (!known) throw new Error(`the refusal "${code}" is declared neither by the kernel nor by ${contract?.name}`);
    byStatus.set(known.status, [...(byStatus.get(known.status) ?? []), `\`${code}\`: ${known.title}`]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [
      status,
      {
        description: lines.join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return rest;
}
