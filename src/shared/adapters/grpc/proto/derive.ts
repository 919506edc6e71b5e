import type { z } from 'zod';
import type { Contract } from '../../../kernel/contract/index.ts';
import type { Field, Model, ProtoMessage, ProtoShape } from './model.ts';
import { fieldName, jsonNameOf, NamesGiven, pascal } from './names.ts';

/** Derives the messages and calls of a contract. Uses only the contract, so that every process gets the same result. */
export function derive(contract: Contract): Model {
  const rpcNames = new NamesGiven();
  const messages = new Messages();
  const service = messages.names.give(pascal(contract.name));
  const named = Object.values(contract.operations).map((operation) => {
    const name = rpcNames.give(pascal(operation.name));
    const [input, output] = [messages.names.give(`${name}Input`), messages.names.give(`${name}Output`)];
    return { operation, name, input, output };
  });
  const rpcs = named.map(({ operation, name, input, output }) => ({
    operation: operation.name,
    name,
    comment: `${operation.kind === 'query' ? 'Query' : 'Command'}: ${operation.summary.replaceAll(/\s+/g, ' ')}`,
    input: messages.ofWhole(operation.input, input),
    output: messages.ofWhole(operation.output, output),
  }));
  const path = `kerf.${contract.name.replaceAll('-', '_')}.v1`;
  return { module: contract.name, package: path, service, rpcs, messages: messages.all };
}

const json: ProtoShape = { kind: 'json' };

class Messages {
  readonly all: ProtoMessage[] = [];
  readonly names = new NamesGiven();
  /** Messages by schema. A schema that occurs again, also inside itself, gets the same message. */
  readonly #met = new Map<unknown, ProtoMessage>();

  /** Returns the message of a whole input or output. Boxes it as `value` when it is no object or may be missing. */
  ofWhole(schema: z.ZodType, name: string): ProtoMessage {
    const { inner, optional, nullable } = unwrap(schema);
    if (inner.type === 'object' && isClosed(inner) && !optional && !nullable) return this.#ofObject(inner.shape, name);
    return this.#add(name, true, (fields) => fields.push(this.#field(schema, 'value', 'value', 1, `${name}Value`)));
  }

  #ofObject(shape: Record<string, unknown>, name: string, schema?: unknown): ProtoMessage {
    const names = new NamesGiven(jsonNameOf);
    return this.#add(
      name,
      false,
      (fields) => {
        for (const [key, each] of Object.entries(shape)) {
          const proto = names.give(fieldName(key));
          fields.push(this.#field(each as z.ZodType, key, proto, fields.length + 1, `${name}${pascal(key)}`));
        }
      },
      schema,
    );
  }

  /** Registers a message before it fills in the fields, because the fields may refer to the message. */
  #add(name: string, box: boolean, fill: (fields: Field[]) => void, schema?: unknown): ProtoMessage {
    const fields: Field[] = [];
    const message = { name, fields, box };
    this.all.push(message);
    if (schema) this.#met.set(schema, message);
    fill(fields);
    return message;
  }

  #field(schema: z.ZodType, key: string, name: string, number: number, path: string): Field {
    const { inner, optional, nullable, schema: innerSchema } = unwrap(schema);
    const shape = optional && nullable ? json : this.#shape(inner, innerSchema, path);
    const field = { key, name, number };
    if (shape.kind === 'json') return { ...field, shape, absent: optional ? 'undefined' : 'never' };
    if (!optional && !nullable) return { ...field, shape, absent: 'never' };
    return { ...field, shape: this.#boxed(shape, innerSchema, path), absent: optional ? 'undefined' : 'null' };
  }

  #shape(def: Definition, schema: unknown, path: string): ProtoShape {
    switch (def.type) {
      case 'string':
      case 'template_literal':
        return { kind: 'string' };
      case 'number':
        return { kind: isInteger(def) ? 'int64' : 'double' };
      case 'boolean':
        return { kind: 'bool' };
      case 'enum':
        return shapeOfAll(Object.values(def.entries));
      case 'literal':
        return shapeOfAll(def.values);
      case 'object': {
        if (!isClosed(def)) return json;
        const met = this.#met.get(schema);
        return { kind: 'message', message: met ?? this.#ofObject(def.shape, this.names.give(path), schema) };
      }
      case 'array':
        return { kind: 'list', of: this.#item(def.element as z.ZodType, `${path}Item`) };
      case 'record':
        return { kind: 'map', of: this.#entry(def.valueType as z.ZodType, `${path}Entry`) };
      default:
        return json;
    }
  }

  #item(schema: z.ZodType, path: string): ProtoShape {
    const { inner, optional, nullable, schema: innerSchema } = unwrap(schema);
    if (optional || nullable) return json;
    return this.#boxed(this.#shape(inner, innerSchema, path), innerSchema, path);
  }

  #entry(schema: z.ZodType, path: string): ProtoShape {
    const { inner, optional, nullable, schema: innerSchema } = unwrap(schema);
    if (optional || nullable || inner.type === 'array' || inner.type === 'record') return json;
    return this.#shape(inner, innerSchema, path);
  }

  #boxed(shape: ProtoShape, schema: unknown, path: string): ProtoShape {
    if (shape.kind !== 'list' && shape.kind !== 'map') return shape;
    const name = shape.kind === 'list' ? 'items' : 'entries';
    const content: Field = { key: name, name, number: 1, shape, absent: 'never' };
    const box = () => this.#add(this.names.give(path), true, (fields) => fields.push(content), schema);
    return { kind: 'message', message: this.#met.get(schema) ?? box() };
  }
}

type Definition = z.core.$ZodTypes['_zod']['def'];

/** Returns the schema inside the wrappers, and whether it may be missing. A value with a default may be missing on the wire. */
function unwrap(schema: z.ZodType) {
  const found = { optional: false, nullable: false };
  let required = false;
  let inner = schema as unknown as z.core.$ZodTypes;
  for (;;) {
    const { def } = inner._zod;
    if (def.type === 'nullable') found.nullable = true;
    else if (def.type === 'nonoptional') required = true;
    else if (def.type === 'optional') found.optional ||= !required;
    else if (def.type === 'default' || def.type === 'prefault') found.optional = true;
    else if (def.type !== 'readonly') return { ...found, inner: def, schema: inner };
    inner = def.innerType as z.core.$ZodTypes;
  }
}

/** Tells whether an object allows only its declared fields. */
function isClosed({ catchall }: z.core.$ZodObjectDef): boolean {
  return !catchall || (catchall as z.core.$ZodTypes)._zod.def.type === 'never';
}

function isInteger(def: z.core.$ZodNumberDef): boolean {
  const checks = [def, ...(def.checks ?? []).map((check) => check._zod.def)] as { format?: string }[];
  return checks.some(({ format }) => format?.includes('int'));
}

function shapeOfAll(values: readonly unknown[]): ProtoShape {
  if (values.every((value) => typeof value === 'string')) return { kind: 'string' };
  if (values.every((value) => typeof value === 'boolean')) return { kind: 'bool' };
  if (values.every(Number.isSafeInteger)) return { kind: 'int64' };
  return json;
}
