import { fromWireJson, mapMembers, put, type WireJson } from './json.ts';
import type { Field, ProtoMessage, ProtoShape } from './model.ts';

type Turn = (wire: unknown) => unknown;
type Members = Record<string, unknown>;
type Long = { toNumber(): number };

/** Compiles functions that convert a message decoded by protobufjs to the plain value that it represents. */
export class FromWire {
  readonly #compiled = new Map<ProtoMessage, Turn>();

  of(message: ProtoMessage): Turn {
    const compiled = this.#compiled.get(message);
    if (compiled) return compiled;
    let turn: Turn = asItIs;
    this.#compiled.set(message, (wire) => turn(wire));
    turn = this.#compile(message);
    this.#compiled.set(message, turn);
    return turn;
  }

  #compile(message: ProtoMessage): Turn {
    const fields = message.fields.map((field) => ({ key: field.key, read: this.#field(field) }));
    if (message.box) return fields[0]!.read as Turn;
    return (wire) => {
      const value: Members = {};
      for (const { key, read } of fields) {
        const member = read(wire as Members);
        if (member !== undefined) put(value, key, member);
      }
      return value;
    };
  }

  /** Compiles a field reader. For a field missing on the wire, protobufjs returns proto's default, unless the field can be absent. */
  #field({ name, shape, absent }: Field): (wire: Members) => unknown {
    const turn = this.#shape(shape);
    if (absent === 'never' && shape.kind !== 'message' && shape.kind !== 'json') return (wire) => turn(wire[name]);
    const missing = absent === 'null' ? null : undefined;
    return (wire) => (Object.hasOwn(wire, name) ? turn(wire[name]) : missing);
  }

  #shape(shape: ProtoShape): Turn {
    switch (shape.kind) {
      case 'int64':
        return (wire) => (wire as Long).toNumber();
      case 'json':
        return (wire) => fromWireJson(wire as WireJson);
      case 'message':
        return this.of(shape.message);
      case 'list': {
        const item = this.#shape(shape.of);
        return (list) => (list as unknown[]).map(item);
      }
      case 'map': {
        const entry = this.#shape(shape.of);
        return (map) => mapMembers(map as Members, entry);
      }
      default:
        return asItIs;
    }
  }
}

const asItIs: Turn = (wire) => wire;
