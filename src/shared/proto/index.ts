export type { Codec } from './codec.ts';
export { type Proto, type ProtoOperation, protoOf, protoText } from './proto.ts';
export { fileDescriptorsOf, packageDefinitionOf } from './reflection.ts';
