import protobuf from 'protobufjs';
import descriptor, { type IDescriptorProto } from 'protobufjs/ext/descriptor.js';
import type { Contract } from '../../../kernel/contract/index.ts';
import { pascal } from './names.ts';
import { protoOf, structFile } from './proto.ts';

/**
 * What gRPC's reflection service tells about the contract, to be given to `new ReflectionService(…)`; those of many
 * contracts are spread into one. It has the descriptors and no more: it does not serve.
 */
export function packageDefinitionOf(contract: Contract): Described {
  return { [protoOf(contract).service]: { fileDescriptorProtos: fileDescriptorsOf(contract) } };
}

type Described = Readonly<Record<string, { readonly fileDescriptorProtos: Buffer[] }>>;

/** The `.proto` and what it imports, as serialized FileDescriptorProto. */
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
 * Names what protobufjs leaves to be guessed: in JSON, a field that is called there as here; and the type of a map's
 * entries, for which other languages insist on a name of its own. No message has any other message inside.
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
