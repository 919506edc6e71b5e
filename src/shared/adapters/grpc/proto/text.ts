import { type Field, type Model, type ProtoMessage, type ProtoShape, usesJson } from './model.ts';
import { jsonNameOf } from './names.ts';

/** Renders the model as a proto3 file, for people and for the compilers of other languages. */
export function toText(model: Model): string {
  return `${[
    `// Made from the contract of the module "${model.module}"; change that, not this.`,
    '// Fields are numbered as the schema declares them: new fields go at the end of a schema, never between.',
    'syntax = "proto3";',
    '',
    `package ${model.package};`,
    '',
    ...(usesJson(model.messages) ? ['import "google/protobuf/struct.proto";', ''] : []),
    `service ${model.service} {`,
    model.rpcs
      .map(
        ({ comment, name, input, output }) => `  // ${comment}\n  rpc ${name}(${input.name}) returns (${output.name});`,
      )
      .join('\n\n'),
    '}',
    ...model.messages.flatMap((message) => ['', messageText(message)]),
  ].join('\n')}\n`;
}

function messageText({ name, fields }: ProtoMessage): string {
  return fields.length === 0 ? `message ${name} {}` : `message ${name} {\n${fields.map(fieldText).join('\n')}\n}`;
}

function fieldText({ key, name, number, shape, absent }: Field): string {
  const label = absent === 'never' ? '' : 'optional ';
  const options = jsonNameOf(name) === key ? '' : ` [json_name = ${quoted(key)}]`;
  return `  ${label}${typeText(shape)} ${name} = ${number}${options};`;
}

function typeText(shape: ProtoShape): string {
  switch (shape.kind) {
    case 'json':
      return 'google.protobuf.Value';
    case 'message':
      return shape.message.name;
    case 'list':
      return `repeated ${typeText(shape.of)}`;
    case 'map':
      return `map<string, ${typeText(shape.of)}>`;
    default:
      return shape.kind;
  }
}

function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\\u0000-\u001f]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return `"${escaped}"`;
}
