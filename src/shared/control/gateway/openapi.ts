import type { z } from 'zod';
import { safeParse } from '../../kernel/contract/index.ts';
import { isKernelCode, kernelCodes } from '../../kernel/errors/index.ts';
import type { Endpoint, Resources } from '../../kernel/http-api/index.ts';
import { type Json, Schemas } from './openapi-schemas.ts';

/** Returns the OpenAPI 3.1 document of all public resources. The gateway serves the resources from the same data. */
export function describeApi(resources: readonly Resources[]): Json {
  const paths: Record<string, Json> = {};
  const schemas = new Schemas({ Problem: problemSchema });
  const ids = operationIds(resources.flatMap(({ endpoints }) => endpoints));
  for (const each of resources) {
    for (const endpoint of each.endpoints) {
      const path = endpoint.path.replaceAll(/:(\w+)(\{[^}]*\})?\??/g, '{$1}');
      const described = describeEndpoint(endpoint, each, ids.get(endpoint)!, schemas);
      paths[path] = { ...paths[path], [endpoint.method]: described };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Kerf', version: '1.0.0', description: 'Errors are RFC 9457 problem details with a stable `code`.' },
    paths,
    components: {
      securitySchemes: {
        session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token of a member' },
        apiKey: { type: 'http', scheme: 'bearer', bearerFormat: 'kerf_…', description: 'The key of a program' },
      },
      schemas: schemas.components,
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

function describeEndpoint(endpoint: Endpoint, { tag, contract }: Resources, id: string, schemas: Schemas): Json {
  const { summary, member, roles, params, query, headers, body, raw, upload, download, etag, refusals = [] } = endpoint;
  const takesInput = params || query || headers || body;
  const codes = [
    ...refusals,
    ...(member || roles ? ['unauthenticated', 'forbidden'] : []),
    ...(etag ? ['precondition-failed'] : []),
    ...(takesInput ? ['invalid-input'] : []),
    ...(body ? ['malformed-body'] : []),
    ...(body || raw || upload ? ['body-too-large'] : []),
    ...(upload || download ? ['no-streams'] : []),
    'malformed-request',
    'too-many-requests',
    'internal',
    'unavailable',
    'timeout',
  ];
  return {
    tags: [tag],
    summary,
    operationId: id,
    ...(roles && { description: `Needs the role ${roles.map((role) => `\`${role}\``).join(' or ')}.` }),
    ...securityOf(endpoint),
    parameters: [
      ...Object.entries({ path: params, query, header: headers }).flatMap(([where, each]) =>
        parameters(where, each, (name, schema) => schemas.of(schema, 'input', `${id}_${name}`)),
      ),
      ...(etag ? conditions : []),
    ],
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemas.of(body, 'input', `${id}_body`) } },
      },
    }),
    ...((raw || upload) && {
      requestBody: { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } },
    }),
    responses: {
      ...(etag && endpoint.method === 'get' && { 304: { description: 'The client has this state already' } }),
      ...success(endpoint, (status, schema) => schemas.of(schema, 'output', `${id}_${status}`)),
      ...refused(codes, contract),
    },
  };
}

/** Returns the alternatives of who may use an endpoint. A role is one as OpenAPI 3.1 means it: it stands beside the scheme. */
function securityOf({ member, roles }: Endpoint): Json {
  if (!member && !roles) return {};
  const schemes = member ? ['session'] : ['session', 'apiKey'];
  if (!roles) return { security: [{ session: [] }] };
  return { security: schemes.flatMap((scheme) => roles.map((role) => ({ [scheme]: [role] }))) };
}

/**
 * Returns an id for each endpoint, independent of their order. The id is the method and the path without separators. When that id
 * is not unique, the id also encodes the separators.
 */
function operationIds(endpoints: readonly Endpoint[]): ReadonlyMap<Endpoint, string> {
  const short = ({ method, path }: Endpoint) =>
    `${method}${path.replaceAll(/[^A-Za-z0-9_]+(\w?)/g, (_, first: string) => first.toUpperCase())}`;
  const whole = ({ method, path }: Endpoint) =>
    `${method}${path.replaceAll(/[^A-Za-z0-9]/g, (sign) => `_${sign.codePointAt(0)!.toString(16)}_`)}`;
  const among = Object.groupBy(endpoints, short);
  const wholes = new Set(endpoints.map(whole));
  return new Map(
    endpoints.map((each) => {
      const id = short(each);
      return [each, among[id]!.length > 1 || wholes.has(id) ? whole(each) : id];
    }),
  );
}

type Describe<N> = (name: N, schema: z.ZodType) => Json;

function parameters(where: string, schema: z.ZodObject | undefined, describe: Describe<string>): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, each]) => ({
    name,
    in: where,
    required: where === 'path' || !safeParse(each as z.ZodType, undefined).success,
    schema: describe(name, each as z.ZodType),
  }));
}

const conditions = ['if-match', 'if-none-match'].map((name) => ({
  name,
  in: 'header',
  required: false,
  description: '`*`, or entity tags',
  schema: { type: 'string' },
}));

const outcomes: Record<string, string> = { 202: 'Not decided yet', 503: 'Not now' };

function success({ answers, download }: Endpoint, describe: Describe<string>): Json {
  const contentType = download?.contentType ?? 'application/json';
  return Object.fromEntries(
    Object.entries(answers).map(([status, schema]) => [
      status,
      {
        description: outcomes[status] ?? 'Done',
        ...(status !== '204' && { content: { [contentType]: { schema: describe(status, schema) } } }),
      },
    ]),
  );
}

/** Returns one response for each status. Its description lists the codes with that status. */
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
