/** What a value is on the wire. A list or a map can only be a field, so anywhere else it travels in a box. */
export type ProtoShape =
  | { readonly kind: 'string' | 'int64' | 'double' | 'bool' }
  /** Any JSON, as `google.protobuf.Value`. */
  | { readonly kind: 'json' }
  | { readonly kind: 'message'; readonly message: ProtoMessage }
  | { readonly kind: 'list' | 'map'; readonly of: ProtoShape };

export interface Field {
  /** The name in JSON. */
  readonly key: string;
  /** The name in proto: the same wherever it can be. */
  readonly name: string;
  readonly number: number;
  readonly shape: ProtoShape;
  /** What it means that the field is not on the wire; `never` leaves it to proto's own defaults. */
  readonly absent: 'never' | 'undefined' | 'null';
}

export interface ProtoMessage {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Stands for the value of its only field, and not for an object that has that field. */
  readonly box: boolean;
}

export interface Rpc {
  /** The name of the operation in the contract. */
  readonly operation: string;
  readonly name: string;
  readonly about: string;
  readonly input: ProtoMessage;
  readonly output: ProtoMessage;
}

/** A contract as proto sees it. */
export interface Model {
  readonly module: string;
  readonly package: string;
  readonly service: string;
  readonly rpcs: readonly Rpc[];
  /** In the order in which they are first met. */
  readonly messages: readonly ProtoMessage[];
}

/** Whether some field of these is any JSON, and needs `google/protobuf/struct.proto`. */
export function usesJson(messages: readonly ProtoMessage[]): boolean {
  return messages.some(({ fields }) => fields.some(({ shape }) => isOfJson(shape)));
}

function isOfJson(shape: ProtoShape): boolean {
  return 'of' in shape ? isOfJson(shape.of) : shape.kind === 'json';
}
