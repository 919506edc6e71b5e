import { Metadata } from '@grpc/grpc-js';
import { headers, maximumBodyBytes, toHeaders, type WireContext } from '../../kernel/calls/index.ts';
import { refusal } from '../../kernel/errors/index.ts';

/**
 * A call by gRPC, readable in any language. Service and messages are those of the contract's `.proto`; what the processes ask
 * each other about a module is a service as well, to which `kerf-module` says the module. Metadata beside a call:
 *
 *     authorization       Bearer, and the service token
 *     x-request-id, …     the context, named as the headers of any other wire. The deadline is gRPC's own; where there is a
 *                         `kerf-deadline-ms`, that counts
 *
 * and beside its answer:
 *
 *     kerf-problem-bin    of a refusal: an RFC 9457 problem, in JSON. The status is one that fits it
 *     kerf-problem-message  the message is such a problem, which is too large for metadata, and the status is OK: only where the
 *                         call said `kerf-takes-problems`. Others are told the code, and no data
 *     kerf-leaving        the next call should go elsewhere
 *
 * What is not printable ASCII travels as bytes, under its name with `-bin` at the end.
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

/** What travels beside a call. `module` is for the service of the processes. */
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

/** Reads what travels beside a call, by its name. Refuses with `malformed-request` when any of it was sent twice. */
export function readerOf(metadata: Metadata): (name: string) => string | undefined {
  // Each `get` would check the name anew.
  const values = metadata.getMap();
  refuseSentTwice(metadata, values);
  return (name) => {
    const value = values[name] ?? values[`${name}-bin`];
    return typeof value === 'string' ? value : value?.toString('utf8');
  };
}

/**
 * HTTP/2 joins texts of one name with commas, and grpc-js keeps bytes of one name side by side. Node keeps only the first `authorization`. A
 * comma is a part of the value where a caller chooses the text, such as an idempotency key: there, the joined text is the value.
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

/** JSON has at most eight times the bytes that the same has here, unless it consists of names. */
const worthMeasuringBytes = maximumBodyBytes / 8;

/** Refuses what is over the limit, by its bytes or by those it would have as JSON, which every transport counts. */
export function refuseTooLarge(bytes: Buffer, value: unknown, what: string): void {
  if (bytes.length <= worthMeasuringBytes) return;
  if (bytes.length <= maximumBodyBytes && Buffer.byteLength(JSON.stringify(value)) <= maximumBodyBytes) return;
  throw refusal('body-too-large', `${what} is over ${maximumBodyBytes} bytes`);
}
