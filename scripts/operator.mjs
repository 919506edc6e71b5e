// What the operators' commands share: how they reach the running system, and how they speak to a person.
import { readFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail } from './setup.mjs';

/** To be told in every help. */
export const reaches = `Asks the process at INTERNAL_PORT (3001), with the token in DATA_DIR (data) or OPERATOR_TOKEN; over TLS when INTERNAL_TLS_CERT
and INTERNAL_TLS_KEY are set, and then believes whom INTERNAL_TLS_CA names.`;

/**
 * The words of a command: `{ values, positionals }`. Prints the help and ends when that is asked for; fails on an option it
 * does not have.
 */
export function readWords(command, help, options = {}) {
  try {
    const words = parseArgs({
      allowPositionals: true,
      options: { ...options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    if (!words.values.help) return words;
  } catch (error) {
    misused(command, whyMisread(error));
  }
  console.log(help);
  process.exit(0);
}

/** Shortens the three-line message of parseArgs for an option without a value. */
function whyMisread({ message }) {
  const [, option] = /^Option '(?:-\w, )?(--[\w-]+)' argument is ambiguous/.exec(message) ?? [];
  if (option === undefined) return message.split(/\.\s/)[0];
  const value = process.argv[process.argv.lastIndexOf(option) + 1];
  return `'${option}' takes a value, and '${value}' may be an option of its own; write ${option}=${value} if it is the value`;
}

export function misused(command, why) {
  fail(`${why}; see npm run ${command} -- --help`);
}

/**
 * What the running system answers. Fails with its refusal, or with what keeps it from answering; `explain` may say a refusal
 * in the words of the command.
 */
export async function ask(method, path, body, explain = () => undefined) {
  return parse(await answerTo(method, path, { body, explain }));
}

/**
 * As `ask`, for what takes a while: calls `onLine` with each line of what the running system tells meanwhile. Resolves when it has
 * told all.
 */
export async function follow(method, path, body, onLine) {
  await answerTo(method, path, { body, onLine, accept: 'application/x-ndjson' });
}

async function answerTo(method, path, { body, onLine, explain, accept = 'application/json' }) {
  const { address, options } = internalListener();
  const headers = { authorization: `Bearer ${token()}`, 'content-type': 'application/json', accept };
  const asked = send(`${address}${path}`, { ...options, method, headers }, body, onLine);
  const { status, text } = await asked.catch((error) => fail(whyNot(address, error)));
  if (status < 300) return text;
  if (status === 401) fail(`${address} does not take this token; is it that of the same data folder?`);
  const problem = parse(text);
  return fail(explain?.(problem) ?? told(problem) ?? `${address} answered ${status}; is it Kerf?`);
}

/** Returns the text of a problem: its issues, or its detail. */
export function told(problem) {
  const issues = problem?.issues?.map(({ path, message }) => `${path}: ${message}`);
  return issues?.join('; ') || (problem?.detail ?? problem?.title);
}

/** As `ask`, for rows of all modules. What some could not be asked for is left out, and then said by `warn`. */
export async function askAll(method, path, body) {
  const { items } = await ask(method, path, body);
  const away = items.filter(({ state }) => state === 'unreachable');
  return {
    items: items.filter((item) => !away.includes(item)),
    warn() {
      if (away.length > 0) fail(`not asked: ${away.map(({ module, why }) => `${module} (${why})`).join(', ')}`);
    },
  };
}

/** Prints JSON, or whatever `print` prints for a person. */
export function tell({ json }, content, print) {
  if (json) console.log(JSON.stringify(content));
  else print(content);
}

/** Rows of text in columns. */
export function printColumns(rows) {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column].length))) ?? [];
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

function internalListener() {
  const { INTERNAL_PORT: port, INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca } = process.env;
  if (port && !/^\d{1,5}$/.test(port)) fail(`INTERNAL_PORT is "${port}"; set it to the port of the internal listener`);
  const at = `127.0.0.1:${port || 3001}`;
  if (!cert) return { address: `http://${at}`, options: {} };
  if (!key) fail('INTERNAL_TLS_CERT needs its key; set INTERNAL_TLS_KEY as well');
  const files = { INTERNAL_TLS_CERT: cert, INTERNAL_TLS_KEY: key, INTERNAL_TLS_CA: ca };
  const [certPem, keyPem, caPem] = Object.entries(files).map(([setting, file]) => file && read(setting, file));
  return { address: `https://${at}`, options: { cert: certPem, key: keyPem, ca: caPem || undefined } };
}

function read(setting, file) {
  try {
    return readFileSync(file);
  } catch {
    return fail(`${setting}: ${file} cannot be read; set it as the running system has it`);
  }
}

function send(url, options, body, onLine) {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? tlsRequest : plainRequest)(url, options, async (response) => {
      response.setEncoding('utf8');
      let text = '';
      try {
        for await (const chunk of response) {
          text += chunk;
          if (onLine && response.statusCode < 300) text = eachLine(text, onLine);
        }
        resolve({ status: response.statusCode, text });
      } catch (error) {
        reject(error);
      }
    });
    request.once('error', reject);
    request.end(body && JSON.stringify(body));
  });
}

/** Hands on the lines that are whole; returns the rest. */
function eachLine(text, onLine) {
  const lines = text.split('\n');
  const rest = lines.pop();
  for (const line of lines) if (line) onLine(parse(line));
  return rest;
}

function whyNot(address, { code, message }) {
  if (code === 'ECONNREFUSED')
    return `nobody answers at ${address}; start Kerf, or set INTERNAL_PORT to where it listens`;
  const cure = address.startsWith('https:')
    ? 'set INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA as the running system has them'
    : 'is it Kerf? if it speaks TLS, set INTERNAL_TLS_CERT, INTERNAL_TLS_KEY and INTERNAL_TLS_CA as it has them';
  return `${address} cannot be asked (${message}); ${cure}`;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function token() {
  const file = join(process.env.DATA_DIR || 'data', 'operator-token');
  try {
    const found = process.env.OPERATOR_TOKEN || readFileSync(file, 'utf8').trim();
    return found || fail(`${file} is empty; start the system again, which says what to do`);
  } catch {
    return fail(
      `${file} cannot be read; set DATA_DIR to the data folder of the running system, or OPERATOR_TOKEN; the first start writes the file: npm start`,
    );
  }
}
