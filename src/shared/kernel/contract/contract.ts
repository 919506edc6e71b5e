import type { z } from 'zod';
import { isKernelCode, isRefusal, Refusal } from '../errors/index.ts';
import { assertWireSafe } from './wire-safe.ts';

/** The default time limit of an answer, in milliseconds. */
export const defaultTimeoutMs = 5_000;

/** An operation that a module offers. A query changes nothing; a command carries an idempotency key. */
export interface OperationDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'query' | 'command';
  /** One line, for the reference. */
  readonly summary: string;
  readonly input: I;
  readonly output: O;
  /** Maximum time of an answer, in milliseconds. It may be longer or shorter than `defaultTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** An operation with its own name and the name of its module. */
export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType>
  extends OperationDefinition<I, O> {
  readonly module: string;
  readonly name: string;
}

/** An event that a module publishes. `name` and `version` are its stored identity: they outlive files and classes. */
export interface EventDefinition<D extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly version: number;
  /** The field of the data that determines the order of events. */
  readonly key: keyof z.output<D> & string;
  readonly data: D;
  /** The earlier versions, which may still be in flight. */
  readonly earlier: readonly EarlierVersion[];
}

/** An earlier version of an event, with its upcaster to the current version. */
export interface EarlierVersion {
  readonly version: number;
  readonly data: z.ZodObject;
  /** Converts data that the schema has parsed. A method, because TypeScript lets it name the type of these data. */
  upcast(data: unknown): unknown;
}

export interface Event<D extends z.ZodObject = z.ZodObject> extends EventDefinition<D> {
  readonly module: string;
  /** Such as `orders.order-placed.v1`. */
  readonly type: string;
}

/** A refusal that callers are expected to handle; it arrives typed over every transport. */
export interface ErrorDefinition<D extends z.ZodObject = z.ZodObject> {
  readonly status: number;
  readonly title: string;
  readonly data?: D;
}

type Operations = Record<string, OperationDefinition>;
type Events = Record<string, EventDefinition>;
type Errors = Record<string, ErrorDefinition>;
type None = Record<never, never>;

export interface Contract<
  Ops extends Operations = Operations,
  Evs extends Events = Events,
  Ers extends Errors = Errors,
> {
  readonly name: string;
  readonly operations: { readonly [K in keyof Ops]: Ops[K] & { readonly module: string; readonly name: string } };
  readonly events: { readonly [K in keyof Evs]: Evs[K] & { readonly module: string; readonly type: string } };
  readonly errors: Ers;
  /**
   * Differences that the compatibility check reports as unknown in this release and that people found compatible: place
   * (`payments.pay input.amount`) → reason.
   */
  readonly accepted?: Readonly<Record<string, string>>;
  /** Creates the declared refusal `code`, for the handler to throw. */
  refuse<C extends keyof Ers & string>(code: C, detail?: string, data?: ErrorData<Ers[C]>): Refusal;
  /** Returns whether `error` is the declared refusal `code`. */
  refused(error: unknown, code: keyof Ers & string): error is Refusal;
}

type ErrorData<E extends ErrorDefinition> = E extends { data: infer D extends z.ZodObject } ? z.input<D> : undefined;

/** Calls the operations of a contract, in the same way wherever its module runs. */
export type Client<C extends Contract> = {
  readonly [K in keyof C['operations']]: (
    input: z.input<C['operations'][K]['input']>,
    options?: CallOptions,
  ) => Promise<z.output<C['operations'][K]['output']>>;
};

export interface CallOptions {
  /** For commands: a repeat with the same key takes effect only once. Without a key, each call is a new command. */
  idempotencyKey?: string;
  /** Shortens the time limit, in milliseconds. Extends neither the limit of the operation nor the caller's own deadline. */
  timeoutMs?: number;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/** Defines an operation that changes nothing. */
export function query<I extends z.ZodType, O extends z.ZodType>(definition: Omit<OperationDefinition<I, O>, 'kind'>) {
  return { ...definition, kind: 'query' } as const;
}

/** Defines an operation that carries an idempotency key. */
export function command<I extends z.ZodType, O extends z.ZodType>(definition: Omit<OperationDefinition<I, O>, 'kind'>) {
  return { ...definition, kind: 'command' } as const;
}

/** Defines an event. `earlier` lists its earlier versions, each with its upcaster: `earlier(1, oldSchema, (old) => ({ … }))`. */
export function event<D extends z.ZodObject>(
  name: string,
  version: number,
  key: keyof z.output<D> & string,
  data: D,
  earlier: readonly EarlierVersion[] = [],
): EventDefinition<D> {
  return { name, version, key, data, earlier };
}

/** Defines a version of an event that is no longer published. `upcast` converts its data to the data of the current version. */
export function earlier<D extends z.ZodObject>(
  version: number,
  data: D,
  upcast: (data: z.output<D>) => unknown,
): EarlierVersion {
  return { version, data, upcast };
}

/**
 * Defines the only entry point of a module. Throws when a schema cannot cross a wire or an error code belongs to the kernel. So every
 * transport can serve every contract.
 */
export function contract<Ops extends Operations, Evs extends Events = None, Ers extends Errors = None>(
  name: string,
  parts: { operations: Ops; events?: Evs; errors?: Ers; accepted?: Contract['accepted'] },
): Contract<Ops, Evs, Ers> {
  const errors: Errors = parts.errors ?? {};
  const operations = mapValues(parts.operations, (operation, key) => {
    if (!/^[a-z]\w*$/i.test(key))
      throw new TypeError(`${name} has an operation "${key}"; a name is letters and digits`);
    assertWireSafe(operation.input, `${name}.${key} input`);
    assertWireSafe(operation.output, `${name}.${key} output`);
    return { ...operation, module: name, name: key };
  });
  const events = mapValues(parts.events ?? {}, (definition, key) => {
    assertWireSafe(definition.data, `${name}.${key} data`);
    checkEarlier(name, definition, `${name}.${key} data`);
    return { ...definition, module: name, type: `${name}.${definition.name}.v${definition.version}` };
  });
  for (const [code, { data }] of Object.entries(errors)) checkError(name, code, data);
  return {
    name,
    operations,
    events,
    errors,
    ...(parts.accepted && { accepted: reasoned(name, parts.accepted) }),
    refuse(code: string, detail?: string, data?: Record<string, unknown>) {
      // The type of `refuse` admits only declared codes.
      const { status, title, data: schema } = errors[code]!;
      return new Refusal(code, status, title, detail, schema?.parse(data));
    },
    refused: (error: unknown, code: string): error is Refusal => isRefusal(error, code),
  } as unknown as Contract<Ops, Evs, Ers>;
}

function reasoned(module: string, accepted: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [bare] = Object.entries(accepted).find(([, reason]) => reason.trim() === '') ?? [];
  if (bare !== undefined) throw new TypeError(`${module} accepts "${bare}" without a reason; say why it is compatible`);
  return accepted;
}

function checkEarlier(module: string, { name, version, earlier }: EventDefinition, where: string): void {
  for (const each of earlier) assertWireSafe(each.data, `${where} v${each.version}`);
  const wrong = earlier.find((each) => each.version >= version || each.version < 1);
  if (!wrong) return;
  throw new TypeError(`${module}.${name} is version ${version}; an earlier version cannot be ${wrong.version}`);
}

/** Names that the fields of a refusal's data must not have: a problem has both kinds of fields side by side. */
const problemFields = ['type', 'title', 'status', 'code', 'detail'];

function checkError(module: string, code: string, data: z.ZodObject | undefined): void {
  if (isKernelCode(code))
    throw new TypeError(`${module} declares "${code}", which belongs to the kernel; choose another`);
  if (!data) return;
  assertWireSafe(data, `${module} "${code}" data`);
  const taken = Object.keys(data.shape).find((field) => problemFields.includes(field));
  if (taken)
    throw new TypeError(`${module} "${code}" data has a field "${taken}", which every problem has; choose another`);
}

function mapValues<A, B>(record: Record<string, A>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
