import protobuf from 'protobufjs';
import { invalidInput, messageOf, refusal } from '../../../kernel/errors/index.ts';
import { FromWire } from './from-wire.ts';
import { findIllFormed, IllFormed } from './json.ts';
import type { ProtoMessage } from './model.ts';
import { ToWire } from './to-wire.ts';

/** Values of one schema as bytes, and back. */
export interface Codec {
  /**
   * Takes what has passed the schema. Throws `invalid-input` (of an output: RangeError) for what proto cannot say:
   * text that is not well-formed Unicode, and what is nested deeper than a hundred messages.
   */
  encode(value: unknown): Buffer;
  /**
   * Gives back what was encoded. What another language wrote has the right kinds, and still has to pass the schema.
   * Throws `malformed-body` (of an output: RangeError) when the bytes are no such message.
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
    const misfit = side === 'input' ? inputMisfit : outputMisfit;
    return {
      encode(value) {
        try {
          return type.encode(toWire(value)).finish() as Buffer;
        } catch (error) {
          throw misfit.unsayable(type, value, error);
        }
      },
      decode(bytes) {
        try {
          const reader = protobuf.Reader.create(bytes);
          reader.discardUnknown = true;
          return fromWire(type.decode(reader));
        } catch (error) {
          throw misfit.unreadable(type, error);
        }
      },
    };
  }
}

const inputMisfit = {
  unsayable: (_type: protobuf.Type, value: unknown, error: unknown) => invalidInput([reason(value, error)]),
  unreadable: (type: protobuf.Type, cause: unknown) =>
    refusal('malformed-body', `The bytes are no ${nameOf(type)}: ${messageOf(cause)}`, undefined, { cause }),
};

const outputMisfit = {
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
