export { type ProtoOperation, protoOf, protoText } from './proto.ts';
export { packageDefinitionOf } from './reflection.ts';
