import { Metadata } from '@grpc/grpc-js';
import { maximumBodyBytes } from '../../kernel/calls/index.ts';
import { refusal } from '../../kernel/errors/index.ts';
import { headers, toHeaders, type WireContext } from '../../kernel/ports/index.ts';

/**
 * A call over gRPC, readable in any language. The contract's `.proto` defines its service and messages. The kernel operations
 * between processes are another service; there, `kerf-module` names the module. Metadata of a call:
 *
 *     authorization       Bearer, and the service token
 *     x-request-id, …     the context, named as the headers of any other wire. The deadline is gRPC's own; `kerf-deadline-ms`
 *                         takes precedence
 *     kerf-takes-problems  the caller accepts a problem as the message of the answer
 *
 * and of its answer:
 *
 *     kerf-problem-bin    of a refusal: an RFC 9457 problem, in JSON. The status matches it
 *     kerf-problem-message  the message is such a problem, too large for metadata, and the status is OK. Only callers that sent
 *                         `kerf-takes-problems` receive it. Other callers receive the code without data
 *     kerf-leaving        the next call should go to another process
 *
 * A value that is not printable ASCII travels as bytes, under its name with the suffix `-bin`.
 */
export const names = {
  token: 'authorization',
  timeout: 'grpc-timeout',
  module: 'kerf-module',
  problem: 'kerf-problem-bin',
  problemMessage: 'kerf-problem-message',
  takesProblems: 'kerf-takes-problems',
  leaving: 'kerf-leaving',
} as const;

const printable = /^[!-~](?:[ -~]*[!-~])?$/;

/** Returns the metadata of a call. Set `module` only for the kernel's service. */
export function toMetadata(wire: WireContext, token: string, module?: string): Metadata {
  const metadata = new Metadata();
  metadata.set(names.token, `Bearer ${token}`);
  metadata.set(names.takesProblems, '1');
  if (module !== undefined) metadata.set(names.module, module);
  for (const [name, value] of Object.entries(toHeaders(wire))) {
    if (name === headers.deadlineMs) metadata.set(names.timeout, `${value}m`);
    else if (printable.test(value)) metadata.set(name, value);
    else metadata.set(`${name}-bin`, Buffer.from(value));
  }
  return metadata;
}

/** Returns a function that reads the metadata of a call by name. Throws `malformed-request` when a caller sent a value twice. */
export function readerOf(metadata: Metadata): (name: string) => string | undefined {
  // Each `get` would check the name again.
  const values = metadata.getMap();
  refuseSentTwice(metadata, values);
  return (name) => {
    const value = values[name] ?? values[`${name}-bin`];
    return typeof value === 'string' ? value : value?.toString('utf8');
  };
}

/**
 * Refuses metadata that the caller sent twice. HTTP/2 joins texts of one name with commas; grpc-js keeps bytes of one name as a
 * list. Node keeps only the first `authorization`. Values with free text, such as an idempotency key, may contain commas: there,
 * the joined text is the value.
 */
function refuseSentTwice(metadata: Metadata, values: ReturnType<Metadata['getMap']>): void {
  for (const name of Object.keys(values)) {
    const isBytes = name.endsWith('-bin');
    const plain = isBytes ? name.slice(0, -'-bin'.length) : name;
    const isTwice = isBytes
      ? plain in values || metadata.get(name).length > 1
      : name.startsWith('kerf-') && values[name]!.includes(',');
    if (isTwice) throw refusal('malformed-request', `it has more than one ${plain}; send one`);
  }
}

/** The JSON of a value has at most eight times the bytes of its proto form, unless it consists mostly of names. */
const worthMeasuringBytes = maximumBodyBytes / 8;

/** Throws `body-too-large` when the bytes or the JSON form of `value` exceed the limit. Every transport counts the JSON form. */
export function refuseTooLarge(bytes: Buffer, value: unknown, what: string): void {
  if (bytes.length <= worthMeasuringBytes) return;
  if (bytes.length <= maximumBodyBytes && Buffer.byteLength(JSON.stringify(value)) <= maximumBodyBytes) return;
  throw refusal('body-too-large', `${what} is over ${maximumBodyBytes} bytes`);
}
