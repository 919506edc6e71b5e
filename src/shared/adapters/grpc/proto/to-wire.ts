import { mapMembers, toWireJson, wellFormed } from './json.ts';
import type { ProtoMessage, ProtoShape } from './model.ts';

type Turn = (value: unknown) => unknown;
type Members = Record<string, unknown>;

/**
 * Compiles functions that convert a value to the object that protobufjs encodes. protobufjs can encode most values unchanged:
 * then the function only checks their text.
 */
export class ToWire {
  readonly #compiled = new Map<ProtoMessage, Turn>();

  of(message: ProtoMessage): Turn {
    const compiled = this.#compiled.get(message);
    if (compiled) return compiled;
    let turn: Turn = asItIs;
    this.#compiled.set(message, (value) => turn(value));
    turn = this.#compile(message);
    this.#compiled.set(message, turn);
    return turn;
  }

  #compile(message: ProtoMessage): Turn {
    const fields = message.fields.map((field) => ({ ...field, turn: this.#shape(field.shape) }));
    if (!isConverted(message)) {
      return check(fields.flatMap(({ key, turn }) => (turn ? [{ key, turn }] : [])));
    }
    const convert = copy(fields.map(({ turn = asItIs, ...field }) => ({ ...field, turn })));
    return message.box ? (value) => convert({ [message.fields[0]!.key]: value }) : convert;
  }

  /** Returns undefined when the shape needs no conversion and no check. */
  #shape(shape: ProtoShape): Turn | undefined {
    switch (shape.kind) {
      case 'string':
        return wellFormed as Turn;
      case 'json':
        return toWireJson;
      case 'message':
        return this.of(shape.message);
      case 'list': {
        const item = this.#shape(shape.of);
        if (!item) return undefined;
        return isConvertedShape(shape.of) ? (list) => (list as unknown[]).map(item) : checkEach(item);
      }
      case 'map': {
        const entry = this.#shape(shape.of) ?? asItIs;
        return (map) => mapMembers(map as Members, entry, wellFormed);
      }
      default:
        return undefined;
    }
  }
}

const asItIs: Turn = (value) => value;

function check(fields: { key: string; turn: Turn }[]): Turn {
  return (value) => {
    for (const { key, turn } of fields) {
      const member = (value as Members)[key];
      if (member !== undefined && member !== null) turn(member);
    }
    return value;
  };
}

function checkEach(item: Turn): Turn {
  return (list) => {
    for (const each of list as unknown[]) item(each);
    return list;
  };
}

function copy(fields: { key: string; name: string; turn: Turn; shape: ProtoShape }[]): Turn {
  return (value) => {
    const wire: Members = {};
    for (const { key, name, turn, shape } of fields) {
      const member = Object.hasOwn(value as Members, key) ? (value as Members)[key] : undefined;
      if (member !== undefined && (member !== null || shape.kind === 'json')) wire[name] = turn(member);
    }
    return wire;
  };
}

/** Tells whether protobufjs needs a converted value of this message. */
function isConverted(message: ProtoMessage, seen = new Set<ProtoMessage>()): boolean {
  if (seen.has(message)) return false;
  seen.add(message);
  return message.box || message.fields.some(({ key, name, shape }) => key !== name || isConvertedShape(shape, seen));
}

function isConvertedShape(shape: ProtoShape, seen = new Set<ProtoMessage>()): boolean {
  if (shape.kind === 'message') return isConverted(shape.message, seen);
  if (shape.kind === 'list') return isConvertedShape(shape.of, seen);
  return shape.kind === 'json' || shape.kind === 'map';
}
