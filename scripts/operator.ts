// Common code of the operator commands: the connection to the running system, and the output.
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { type RequestOptions, request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import type { z } from 'zod';
import { type Away, isAway, problemAnswer, rowsOf } from '../src/shared/control/admin-contract/index.ts';
import type { readOperatorSettings } from '../src/shared/control/topology/index.ts';
import { readEnvFile } from './setup.mjs';

/** The part of the help that all commands share. */
export const reaches = `Asks the process at INTERNAL_PORT (3001), with the token in DATA_DIR (data) or OPERATOR_TOKEN; over TLS when
INTERNAL_TLS_CERT and INTERNAL_TLS_KEY are set. INTERNAL_TLS_CA is the CA bundle that verifies the process.`;

type Settings = ReturnType<typeof readOperatorSettings>;
export type Problem = z.output<typeof problemAnswer>;
type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** Explains a problem in the terms of the command; undefined when the problem's own text suffices. */
export type Explain = (problem: Problem) => string | undefined;

/** A message for the person at the command. scripts/kerf.mjs prints it and exits with 1. */
class Failure extends Error {}

function fail(message: string): never {
  throw new Failure(message);
}

interface Asked {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
  readonly accept?: string;
}

/**
 * Resolves with the answer of the running system. Fails with its refusal, or with the reason for no answer; `explain` may word a refusal
 * in the terms of the command.
 */
export async function ask<S extends z.ZodType>(
  answer: S,
  method: Method,
  path: string,
  body?: unknown,
  explain?: Explain,
): Promise<z.output<S>> {
  return understood(answer, await answerTo({ method, path, body }, { explain }));
}

/**
 * Like `ask`, for long requests: calls `onLine` with each line of progress from the running system. Resolves with
 * the last line.
 */
export async function follow<S extends z.ZodType>(
  line: S,
  asked: Asked,
  onLine: (line: z.output<S>) => void,
): Promise<void> {
  await answerTo({ ...asked, accept: 'application/x-ndjson' }, { onLine: (text) => onLine(understood(line, text)) });
}

interface Listening {
  readonly explain?: Explain | undefined;
  readonly onLine?: (text: string) => void;
}

async function answerTo({ accept = 'application/json', body, ...asked }: Asked, listening: Listening): Promise<string> {
  // The command refuses wrong arguments without the running system.
  readEnvFile();
  const { readOperatorSettings } = await import('../src/shared/control/topology/index.ts');
  const settings = readOperatorSettings(process.env);
  const { address, options } = internalListener(settings);
  const headers = { authorization: `Bearer ${token(settings)}`, 'content-type': 'application/json', accept };
  const request = { ...options, method: asked.method, headers };
  const sent = send(`${address}${asked.path}`, request, body, listening.onLine);
  const { status, text } = await sent.catch((error: NodeJS.ErrnoException) => {
    throw error instanceof Failure ? error : new Failure(whyNot(address, error));
  });
  if (status < 300) return text;
  if (status === 401) fail(`${address} does not take this token; is it that of the same data folder?`);
  const problem = problemAnswer.safeParse(parsed(text)).data;
  return fail(
    (problem && (listening.explain?.(problem) ?? told(problem))) ?? `${address} answered ${status}; is it Kerf?`,
  );
}

/** Returns the text of a problem: its issues, or its detail. */
export function told({ issues = [], detail, title }: Problem): string {
  return issues.map(({ path, message }) => `${path}: ${message}`).join('; ') || (detail ?? title);
}

/** Like `ask`, for rows of all modules. Omits unreachable modules, and reports them with `warn`. */
export async function askAll<S extends z.ZodObject>(row: S, method: Method, path: string, body?: unknown) {
  const { items } = await ask(rowsOf(row), method, path, body);
  const away = items.filter(isAway);
  return {
    items: items.filter((item): item is Exclude<typeof item, Away> => !isAway(item)),
    warn() {
      if (away.length > 0) fail(`not asked: ${away.map(({ module, why }) => `${module} (${why})`).join(', ')}`);
    },
  };
}

/** The options of a command that prints its result as JSON. */
export interface ResultOptions {
  readonly json?: boolean;
}

/** Prints JSON, or the readable output of `print`. */
export function tell<T>({ json }: ResultOptions, content: T, print: (content: T) => void): void {
  if (json) console.log(JSON.stringify(content));
  else print(content);
}

/** Returns rows of text, aligned in columns. */
export function printColumns(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

function internalListener(settings: Settings): { address: string; options: RequestOptions } {
  const { INTERNAL_PORT, INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca } = settings;
  const at = `127.0.0.1:${INTERNAL_PORT}`;
  if (!cert) return { address: `http://${at}`, options: {} };
  if (!key) fail('INTERNAL_TLS_CERT needs its key; set INTERNAL_TLS_KEY as well');
  const options = {
    cert: read('INTERNAL_TLS_CERT', cert),
    key: read('INTERNAL_TLS_KEY', key),
    ca: ca && read('INTERNAL_TLS_CA', ca),
  };
  return { address: `https://${at}`, options };
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return fail(`${setting}: ${file} cannot be read; set it as the running system has it`);
  }
}

function send(
  url: string,
  options: RequestOptions,
  body: unknown,
  onLine?: (text: string) => void,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? tlsRequest : plainRequest)(url, options, async (response) => {
      const { statusCode: status = 0 } = response;
      response.setEncoding('utf8');
      let text = '';
      try {
        for await (const chunk of response) {
          text += chunk;
          if (onLine && status < 300) text = eachLine(text, onLine);
        }
        resolve({ status, text });
      } catch (error) {
        reject(error);
      }
    });
    request.once('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Passes complete lines on; returns the rest. */
function eachLine(text: string, onLine: (text: string) => void): string {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) if (line) onLine(line);
  return rest;
}

function whyNot(address: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED')
    return `nobody answers at ${address}; start Kerf, or set INTERNAL_PORT to where it listens`;
  const cure = address.startsWith('https:')
    ? 'set INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA as the running system has them'
    : 'is it Kerf? if it speaks TLS, set INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA as it has them';
  return `${address} cannot be asked (${message}); ${cure}`;
}

/** Fails when the answer does not match the schema. */
function understood<S extends z.ZodType>(answer: S, text: string): z.output<S> {
  const { data, error } = answer.safeParse(parsed(text));
  if (!error) return data;
  const [issue] = error.issues;
  return fail(
    `the answer cannot be understood (${issue?.path.join('.')}: ${issue?.message}); is it Kerf of this release?`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function token({ DATA_DIR, OPERATOR_TOKEN }: Settings): string {
  const file = join(DATA_DIR, 'operator-token');
  try {
    const found = OPERATOR_TOKEN ?? readFileSync(file, 'utf8').trim();
    return found || fail(`${file} is empty; start the system again, which says what to do`);
  } catch {
    return fail(
      `${file} cannot be read; set DATA_DIR to the data folder of the running system, or OPERATOR_TOKEN; the first start writes the file: npm start`,
    );
  }
}
