import protobuf from 'protobufjs';
import type { Contract } from '../../../kernel/contract/index.ts';
import { type Codec, Codecs } from './codec.ts';
import { derive } from './derive.ts';
import { usesJson } from './model.ts';
import { toText } from './text.ts';

export interface ProtoOperation {
  /** gRPC path, such as `/kerf.payments.v1.Payments/Authorize`. */
  readonly path: string;
  readonly input: Codec;
  readonly output: Codec;
}

/** A contract in Protocol Buffers. */
export interface Proto {
  /** The `.proto` file. */
  readonly text: string;
  /** The same file as parsed by protobufjs, with its imports. */
  readonly root: protobuf.Root;
  /** Such as `kerf.payments.v1`. */
  readonly package: string;
  /** With its package, such as `kerf.payments.v1.Payments`. */
  readonly service: string;
  /** By their names in the contract. */
  readonly operations: ReadonlyMap<string, ProtoOperation>;
}

const made = new WeakMap<Contract, Proto>();

/** Returns the contract's `.proto` and codecs. Creates them on first use. */
export function protoOf(contract: Contract): Proto {
  const known = made.get(contract) ?? make(contract);
  made.set(contract, known);
  return known;
}

/** Returns the contract as a proto3 file. Every process gets the same text for the same contract. */
export function protoText(contract: Contract): string {
  return toText(derive(contract));
}

export const structFile = 'google/protobuf/struct.proto';

function make(contract: Contract): Proto {
  const model = derive(contract);
  const text = toText(model);
  const { root } = protobuf.parse(text, { keepCase: true });
  if (usesJson(model.messages)) root.addJSON(protobuf.common.get(structFile)!.nested!);
  root.resolveAll();
  const codecs = new Codecs(root.lookup(model.package) as protobuf.Namespace);
  const service = `${model.package}.${model.service}`;
  const operations = new Map(
    model.rpcs.map(({ operation, name, input, output }) => [
      operation,
      { path: `/${service}/${name}`, input: codecs.of(input, 'input'), output: codecs.of(output, 'output') },
    ]),
  );
  return { text, root, package: model.package, service, operations };
}
