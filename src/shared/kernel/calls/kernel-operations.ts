import { z } from 'zod';
import { command, contract, nothing, type Operation, query } from '../contract/index.ts';

/** The form of a body that is not sent as text. */
const encoding = z.literal('base64').optional();

const request = z.object({
  method: z.string().regex(/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/, 'must be a method of HTTP'),
  /** Includes the query: `/orders?limit=5`. */
  path: z.string().regex(/^\/[\x21-\x7e]*$/, 'must be a path, percent-encoded'),
  headers: z.record(
    z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header'),
    z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be the value of a header'),
  ),
  body: z.string(),
  encoding,
});
const answer = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string(), encoding });

/**
 * One step of a request whose body or answer travels in parts. `open` begins the request, `push` brings a part of its body, `answer` waits for
 * the answer, `pull` for a part of its body, and `cancel` ends all.
 */
const streamStep = z.object({
  id: z.string(),
  step: z.enum(['open', 'push', 'answer', 'pull', 'cancel']),
  request: request.optional(),
  uploads: z.boolean().optional(),
  downloads: z.boolean().optional(),
  /** In base64. */
  bytes: z.string().optional(),
  last: z.boolean().optional(),
  /** An RFC 9457 problem, as JSON. */
  problem: z.string().optional(),
});
const streamStepAnswer = z.object({
  answer: answer.optional(),
  /** Whether the body of the answer follows in parts. */
  streams: z.boolean().optional(),
  bytes: z.string().optional(),
  /** Whether there is no other part, or none is wanted. */
  last: z.boolean().optional(),
  /** Whether the handler has not read the last part yet. */
  full: z.boolean().optional(),
  /** An RFC 9457 problem, as JSON. */
  problem: z.string().optional(),
});
export type StreamStep = z.output<typeof streamStep>;
export type StreamStepAnswer = z.output<typeof streamStepAnswer>;

/** The identity of a database: its system (once known), its own id, and its number of commits. */
const database = z.object({ system: z.string().optional(), id: z.string(), commits: z.int().min(0) });
export type ShownDatabase = z.output<typeof database>;

/** A public request or an operator's request that one process passes on to another. Bodies are text, or base64. */
export type PassedOn = z.output<typeof request>;
export type PassedBack = z.output<typeof answer>;

const longestMs = 60_000;

/**
 * The operations that the processes themselves call on each other for a module. They travel like every other call, so a
 * transport that carries calls also carries events, public requests and operators' requests.
 */
export const kernel = contract('kerf', {
  operations: {
    ping: query({ summary: 'Whether the module is served here', input: nothing, output: nothing, timeoutMs: 500 }),
    writes: query({
      summary: 'Whether the module can store data and deliver its events',
      input: nothing,
      output: z.object({
        writes: z.boolean(),
        why: z.string().optional(),
        /** Whether the process that answers is about to stop. */
        stopping: z.boolean().optional(),
        /** The recipients of events that wait for a long time. */
        undelivered: z.array(z.string()).optional(),
      }),
      timeoutMs: 3_000,
    }),
    receive: command({
      summary: 'Takes events for the module, as CloudEvents in JSON, all of them or none',
      input: z.object({ events: z.array(z.string()) }),
      output: nothing,
      timeoutMs: 30_000,
    }),
    read: query({ summary: 'Asks for a public resource', input: request, output: answer, timeoutMs: longestMs }),
    write: command({ summary: 'Changes a public resource', input: request, output: answer, timeoutMs: longestMs }),
    stream: command({
      summary: 'Takes one step of a request for a public resource whose body or answer is a stream',
      input: streamStep,
      output: streamStepAnswer,
      timeoutMs: longestMs,
    }),
    operate: command({ summary: 'Passes an operator on', input: request, output: answer, timeoutMs: 10_000 }),
    identify: query({
      summary: 'Which database the module has here; says to which system it belongs',
      input: z.object({ system: z.string(), accepted: z.boolean() }),
      output: database,
      timeoutMs: 1_000,
    }),
    introduce: query({
      summary: 'Whether the home process takes a database for that of the module',
      input: z.object({ ...database.shape, accepted: z.boolean() }),
      output: z.object({ system: z.string().optional(), why: z.string().optional() }),
      timeoutMs: 1_000,
    }),
  },
});

type KernelOperation = keyof typeof kernel.operations;

const mark = 'kerf.';

/** Returns a kernel operation for `module`. Its name has a dot, so it never equals the name of a contract's operation. */
export function ofKernel(operation: KernelOperation, module: string): Operation {
  return { ...kernel.operations[operation], module, name: `${mark}${operation}` };
}

/** Returns the kernel operation with this name, or `undefined`. */
export function kernelOperation(name: string): KernelOperation | undefined {
  if (!name.startsWith(mark)) return undefined;
  const operation = name.slice(mark.length);
  return isKernelOperation(operation) ? operation : undefined;
}

function isKernelOperation(name: string): name is KernelOperation {
  return Object.hasOwn(kernel.operations, name);
}
