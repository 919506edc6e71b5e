import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const orders = join(process.cwd(), 'src', 'modules', 'orders');
const head = `import { handle, inSteps, on } from '../../../shared/kernel/module/index.ts';
import { inventory } from '../../inventory/contract.ts';
import { orders } from '../contract.ts';
const { get } = orders.operations;
const { levels, take } = inventory.operations;
const order = { id: '', lines: [], createdAt: '' };
`;

/** Mistake → the line that makes it, the part of the message that names it, and the lines of the message beyond five. */
const mistakes: Record<string, [line: string, message: string, more?: number]> = {
  'an unknown input field': [
    'handle(get, async ({ id, member }) => Promise.reject(new Error(id + member)));',
    "Property 'member' does not exist",
  ],
  'an answer that lacks fields': ['handle(get, async ({ id }) => ({ id }));', 'missing the following properties'],
  'an answer with a wrong literal': [
    "handle(take, async ({ orderId }) => ({ orderId, state: 'kept' }));",
    `Type '"kept"' is not assignable`,
  ],
  'an answer with a wrong literal in a block body': [
    "handle(take, async ({ orderId }) => { return { orderId, state: 'kept' }; });",
    `Type '"kept"' is not assignable`,
  ],
  'an answer that is wrong two levels down': [
    "inSteps(get, async () => ({ ...order, status: 'pending', total: { amount: '1', currency: 'KRW' } }));",
    "Type 'string' is not assignable to type 'number'",
  ],
  // TypeScript names the array and its element in lines of their own. It goes straight to a wrong field only in a function that is not
  // `async`, so no type of `handle` makes these messages shorter.
  'an answer that is wrong in an array': [
    "handle(levels, async () => ({ levels: [{ sku: 'OIL', available: '1' }] }));",
    "Type 'string' is not assignable to type 'number'",
    2,
  ],
  'an answer that is wrong in an array in a block body': [
    "handle(levels, async () => { return { levels: [{ sku: 'OIL', available: '1' }] }; });",
    "Type 'string' is not assignable to type 'number'",
    3,
  ],
  'an answer that is not a promise': ["handle(take, ({ orderId }) => ({ orderId, state: 'taken' }));", 'Promise<'],
  'a query that writes': [
    'handle(get, async (_, reader) => reader.publish(orders.events.placed, {}));',
    "Property 'publish' does not exist on type 'Reader'",
  ],
  'a hand-written input type': [
    "handle(take, async ({ orderId }: { orderId: number }) => ({ orderId: String(orderId), state: 'taken' }));",
    "Type 'string' is not assignable to type 'number'",
  ],
  'an unknown event field': [
    'on(orders.events.confirmed, async ({ sku }) => void sku);',
    "Property 'sku' does not exist",
  ],
};

describe('a type error of a handler is reported at its line, in at most five lines outside of arrays', () => {
  let reports: { line: number; text: string }[];

  beforeAll(() => {
    const lines = Object.values(mistakes).map(([line]) => line);
    reports = compile({ 'internal/planted.ts': head + lines.join('\n') });
  }, 60_000);

  it.each(
    Object.entries(mistakes).map(([name, [, message, more]], index) => [name, message, more ?? 0, index] as const),
  )('%s', (_, message, beyond, index) => {
    const [report, ...more] = reports.filter(({ line }) => line === head.split('\n').length - 1 + index);
    expect(more).toEqual([]);
    expect(report!.text).toContain(message);
    expect(report!.text.split('\n').length).toBeLessThanOrEqual(5 + beyond);
  });
});

it('a new operation costs at most twelve lines beside its rule, as the docs show', () => {
  const docs = readFileSync('docs/events-and-sagas.md', 'utf8');
  const [, recipe] = /## Add an operation\n([\s\S]*?)\n## /.exec(docs)!;
  const blocks = recipe!.split(/^ {4}\/\/ orders\/([\w./]+).*\n/m).slice(1);
  const block = (file: string) =>
    /^(?: {4}.*\n|\n(?= {4}))+/.exec(blocks[blocks.indexOf(file) + 1]!)![0].replace(/^ {4}/gm, '');
  const [entry, wiring, route] = [block('contract.ts'), block('module.ts'), block('routes.ts')];
  const [imported, listed] = wiring.trim().split('\n');
  const own = (file: string) => readFileSync(join(orders, file), 'utf8');
  const errors = compile({
    'contract.ts': own('contract.ts').replace('    cancel: command', `${entry}    cancel: command`),
    'module.ts': `${imported}\n${own('module.ts').replace(' cancel, get,', ` cancel,\n${listed} get,`)}`,
    'routes.ts': own('routes.ts').replace("    .post(\n      '/orders/:id/cancel'", `${route}$&`),
    'internal/refund.ts': block('internal/refund.ts'),
  });
  expect(errors).toEqual([]);
  expect([entry, wiring, route].flatMap((lines) => lines.trim().split('\n')).length).toBeLessThanOrEqual(12);
});

/** The files of the repository and its packages. The compilations share them. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Compiles these files as files of the module orders. Returns the line and the text of each error in them, as `tsc` prints it. */
function compile(files: Record<string, string>) {
  const texts = new Map(Object.entries(files).map(([file, text]) => [join(orders, file), text]));
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.getSourceFile = (name, ...how) => {
    if (texts.has(name)) return ts.createSourceFile(name, texts.get(name)!, ts.ScriptTarget.Latest);
    if (!parsed.has(name)) parsed.set(name, getSourceFile(name, ...how));
    return parsed.get(name);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...texts].flatMap(([name, text]) =>
    program.getSemanticDiagnostics(program.getSourceFile(name)).map(({ start, messageText }) => ({
      line: text.slice(0, start).split('\n').length - 1,
      text: ts.flattenDiagnosticMessageText(messageText, '\n'),
    })),
  );
}
