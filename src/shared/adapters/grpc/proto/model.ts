/** Wire type of a value. A list or a map can only be a field, so anywhere else it travels in a box. */
export type ProtoShape =
  | { readonly kind: 'string' | 'int64' | 'double' | 'bool' }
  /** Any JSON, as `google.protobuf.Value`. */
  | { readonly kind: 'json' }
  | { readonly kind: 'message'; readonly message: ProtoMessage }
  | { readonly kind: 'list' | 'map'; readonly of: ProtoShape };

export interface Field {
  /** The name in JSON. */
  readonly key: string;
  /** The name in proto. It equals `key` when proto allows that name. */
  readonly name: string;
  readonly number: number;
  readonly shape: ProtoShape;
  /** Value of a field that is missing on the wire. `never` means proto's own default. */
  readonly absent: 'never' | 'undefined' | 'null';
}

export interface ProtoMessage {
  readonly name: string;
  readonly fields: readonly Field[];
  /** Whether the message represents the value of its only field, instead of an object with that field. */
  readonly box: boolean;
}

export interface Rpc {
  /** The name of the operation in the contract. */
  readonly operation: string;
  readonly name: string;
  readonly comment: string;
  readonly input: ProtoMessage;
  readonly output: ProtoMessage;
}

/** Proto model of a contract. */
export interface Model {
  readonly module: string;
  readonly package: string;
  readonly service: string;
  readonly rpcs: readonly Rpc[];
  /** In the order of their first occurrence. */
  readonly messages: readonly ProtoMessage[];
}

/** Tells whether a field of these messages holds any JSON, and therefore needs `google/protobuf/struct.proto`. */
export function usesJson(messages: readonly ProtoMessage[]): boolean {
  return messages.some(({ fields }) => fields.some(({ shape }) => isOfJson(shape)));
}

function isOfJson(shape: ProtoShape): boolean {
  return 'of' in shape ? isOfJson(shape.of) : shape.kind === 'json';
}
