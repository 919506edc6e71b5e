import { isKernelCode, isRefusal } from '../../kernel/errors/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';

/** The value of a label for everything that no contract names. */
const other = 'other';

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/**
 * Bounds the values of labels. A name that comes with a request, an answer or a row could be anything; each new one would be a series
 * that Prometheus keeps. Only names of the product's own contracts pass.
 */
export class KnownNames {
  readonly #callers: ReadonlySet<string>;
  readonly #events: ReadonlySet<string>;
  readonly #recipients: ReadonlySet<string>;
  readonly #codes: ReadonlyMap<string, ReadonlySet<string>>;

  /** `brokers` are the recipients in outboxes that are no modules. */
  constructor(definitions: readonly ModuleDefinition[], brokers: readonly string[]) {
    const contracts = definitions.map(({ contract }) => contract);
    const modules = contracts.map(({ name }) => name);
    this.#callers = new Set([...modules, 'gateway', 'home', 'kernel']);
    this.#recipients = new Set([...modules, ...brokers]);
    this.#events = new Set(
      contracts.flatMap(({ events }) =>
        Object.values(events).flatMap(({ type, module, name, earlier }) => [
          type,
          ...earlier.map(({ version }) => `${module}.${name}.v${version}`),
        ]),
      ),
    );
    this.#codes = new Map(contracts.map(({ name, errors }) => [name, new Set(Object.keys(errors))]));
  }

  caller(name: string): string {
    return this.#callers.has(name) ? name : other;
  }

  recipient(name: string): string {
    return this.#recipients.has(name) ? name : other;
  }

  event(type: string): string {
    return this.#events.has(type) ? type : other;
  }

  /** Returns the code of a refusal that the module's contract or the kernel declares, or `error` for a fault. */
  outcome(module: string, error: unknown): string {
    if (!isRefusal(error)) return 'error';
    const { code } = error;
    return isKernelCode(code) || this.#codes.get(module)?.has(code) ? code : other;
  }

  method(name: string): string {
    return methods.has(name) ? name : other;
  }

  /** Returns the status of an answer. */
  status(code: number | undefined): string {
    if (code === undefined) return 'none';
    return code >= 100 && code <= 599 ? String(code) : other;
  }
}
