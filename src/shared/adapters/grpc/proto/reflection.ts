import protobuf from 'protobufjs';
import descriptor, { type IDescriptorProto } from 'protobufjs/ext/descriptor.js';
import type { Contract } from '../../../kernel/contract/index.ts';
import { pascal } from './names.ts';
import { protoOf, structFile } from './proto.ts';

/**
 * Returns the package definition of the contract for `new ReflectionService(…)`. Spread the definitions of several contracts into
 * one object. It contains only descriptors: a gRPC server cannot serve it.
 */
export function packageDefinitionOf(contract: Contract): Described {
  return { [protoOf(contract).service]: { fileDescriptorProtos: fileDescriptorsOf(contract) } };
}

type Described = Readonly<Record<string, { readonly fileDescriptorProtos: Buffer[] }>>;

/** Returns the `.proto` and its imports, each as a serialized FileDescriptorProto. */
export function fileDescriptorsOf(contract: Contract): Buffer[] {
  const { root, package: name } = protoOf(contract);
  const { file: files } = root.toDescriptor('proto3');
  for (const file of files) {
    file.name = file.package === name ? `${name.replaceAll('.', '/')}.proto` : structFile;
    if (file.package === name && files.length > 1) file.dependency = [structFile];
    for (const message of file.messageType ?? []) complete(message, `.${file.package}.${message.name}`);
  }
  return files.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file).finish()));
}

/**
 * Adds names that protobufjs omits: the JSON name of a field without its own, and the type of a map's entries, for which other
 * languages require a specific name. Messages contain no other nested messages.
 */
function complete({ field: fields = [], nestedType: entries = [] }: IDescriptorProto, path: string): void {
  for (const field of fields) field.jsonName ||= field.name;
  for (const entry of entries) {
    const field = fields.find(({ name }) => protobuf.util.ucFirst(name!) === entry.name);
    if (!field) continue;
    entry.name = `${pascal(field.name!)}Entry`;
    field.typeName = `${path}.${entry.name}`;
  }
}
