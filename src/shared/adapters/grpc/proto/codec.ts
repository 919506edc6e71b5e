import protobuf from 'protobufjs';
import { invalidInput, messageOf, refusal } from '../../../kernel/errors/index.ts';
import { FromWire } from './from-wire.ts';
import { findIllFormed, IllFormed } from './json.ts';
import type { ProtoMessage } from './model.ts';
import { ToWire } from './to-wire.ts';

/** Encodes and decodes the values of one schema. */
export interface Codec {
  /**
   * Encodes a value that has passed the schema. Throws `invalid-input` (RangeError for an output) when proto cannot express the
   * value: text that is not well-formed Unicode, or more than a hundred nested messages.
   */
  encode(value: unknown): Buffer;
  /**
   * Returns the encoded value. A value from another language has the right types, but must still pass the schema.
   * Throws `malformed-body` (RangeError for an output) when the bytes are no such message.
   */
  decode(bytes: Uint8Array): unknown;
}

/** Compiles codecs for the messages of one package, each message once. */
export class Codecs {
  readonly #toWire = new ToWire();
  readonly #fromWire = new FromWire();
  private readonly packaged: protobuf.NamespaceBase;

  constructor(packaged: protobuf.NamespaceBase) {
    this.packaged = packaged;
  }

  of(message: ProtoMessage, side: 'input' | 'output'): Codec {
    const type = this.packaged.lookupType(message.name);
    const toWire = this.#toWire.of(message) as (value: unknown) => Record<string, unknown>;
    const fromWire = this.#fromWire.of(message);
    const mismatch = side === 'input' ? inputMismatch : outputMismatch;
    return {
      encode(value) {
        try {
          return type.encode(toWire(value)).finish() as Buffer;
        } catch (error) {
          throw mismatch.unsayable(type, value, error);
        }
      },
      decode(bytes) {
        try {
          const reader = protobuf.Reader.create(bytes);
          reader.discardUnknown = true;
          return fromWire(type.decode(reader));
        } catch (error) {
          throw mismatch.unreadable(type, error);
        }
      },
    };
  }
}

const inputMismatch = {
  unsayable: (_type: protobuf.Type, value: unknown, error: unknown) => invalidInput([reason(value, error)]),
  unreadable: (type: protobuf.Type, cause: unknown) =>
    refusal('malformed-body', `The bytes are no ${nameOf(type)}: ${messageOf(cause)}`, undefined, { cause }),
};

const outputMismatch = {
  unsayable(type: protobuf.Type, value: unknown, cause: unknown) {
    const { path, message } = reason(value, cause);
    return new RangeError(`${nameOf(type)} cannot say the value: ${path || 'it'} ${message}`, { cause });
  },
  unreadable: (type: protobuf.Type, cause: unknown) =>
    new RangeError(`The bytes are no ${nameOf(type)}: ${messageOf(cause)}`, { cause }),
};

const nameOf = (type: protobuf.Type) => type.fullName.slice(1);

function reason(value: unknown, error: unknown) {
  if (error instanceof IllFormed) {
    return { path: (findIllFormed(value) ?? '').slice(0, 200), message: 'must be well-formed text' };
  }
  if (error instanceof RangeError || messageOf(error) === 'max depth exceeded') {
    return { path: '', message: 'must not be nested so deep' };
  }
  throw error;
}
