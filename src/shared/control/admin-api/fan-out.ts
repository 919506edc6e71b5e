import { randomUUID } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { type CallSource, ForeignAnswer, ofKernel, type PassedBack, type PassedOn } from '../../kernel/calls/index.ts';
import { nothing, parseInput } from '../../kernel/contract/index.ts';
import {
  fromProblem,
  invalidInput,
  isBetweenProcesses,
  isProblem,
  isRefusal,
  type Refusal,
  refusal,
} from '../../kernel/errors/index.ts';
import { jsonOf, textOf } from '../../kernel/http-api/index.ts';
import type { OpenModule } from '../../kernel/module/index.ts';
import { bearer, shownAddress } from '../../kernel/ports/index.ts';
import type { Away } from '../admin-contract/index.ts';
import type { Operators } from '../identity/index.ts';
import type { Directory } from '../routing/index.ts';

/** A request of an operator. A request that another process passed on is about one module of this process. */
interface OperatorRequest {
  Bindings: { passedOn?: string };
}
export type AdminRoutes = Hono<OperatorRequest>;

/** Carries the operators' signature of a request that is passed on. */
export const orderHeader = 'kerf-order';

const tellWithinMs = 3_000;

/** The answer of one process of a module, and the times of this process's clock at which it asked and had the answer. */
export interface InstanceAnswer {
  readonly module: string;
  readonly address: string | null;
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly content?: object | undefined;
  /** Why there is no content. */
  readonly why?: string;
}

interface FanOutDependencies {
  readonly modules: readonly string[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly directory: Directory;
  readonly calls: CallSource;
  /** Set only in the home process, which answers for the whole system; a module process answers for its own modules. */
  readonly operators: Operators | undefined;
}

/** Answers operators for all modules, wherever they run. For a remote module, it asks the process that runs it. */
export class FanOut {
  private readonly parts: FanOutDependencies;

  constructor(parts: FanOutDependencies) {
    this.parts = parts;
  }

  /**
   * Answers with the rows of every module, or of the `meant` module only. A process that cannot be reached adds a row
   * `{ module, state: 'unreachable', why }` for each of its modules.
   */
  async rows(
    c: Context<OperatorRequest>,
    meant: string | undefined,
    read: (module: OpenModule) => Promise<object[]>,
  ): Promise<Response> {
    const { modules, open } = this.parts;
    if (meant !== undefined && !modules.includes(meant)) {
      throw invalidInput([
        { path: 'module', message: `there is no module "${meant}"; there are ${modules.join(', ')}` },
      ]);
    }
    const about = this.#passedOn(c) ?? meant;
    const wanted = modules.filter((module) => about === undefined || module === about);
    const here = wanted.flatMap((name) => open.get(name) ?? []);
    const rows = here.map(async (module) => (await read(module)).map((row) => ({ module: module.name, ...row })));
    const elsewhere = this.#mayAsk(c)
      ? wanted.filter((name) => !open.has(name)).map((name) => this.#ofOther(c, name))
      : [];
    return c.json({ items: (await Promise.all([...rows, ...elsewhere])).flat() });
  }

  /** Answers about the item that the path names as `{module}.{id}`. Refuses with `not-found` or `unavailable`. */
  async one(
    c: Context<OperatorRequest>,
    answer: (module: OpenModule, id: string) => Promise<object>,
  ): Promise<Response> {
    const named = c.req.param('id') ?? '';
    const [, module = '', id = ''] = /^([^.]+)\.(.+)$/s.exec(named) ?? [];
    const here = this.parts.open.get(module);
    if (here) return c.json(await answer(here, id));
    if (!this.parts.modules.includes(module))
      throw refusal(
        'not-found',
        `unknown id ${JSON.stringify(named)}; an id begins with its module, as the lists show it`,
      );
    if (!this.#mayAsk(c)) throw refusal('not-found', `${module} does not run in this process; ask the home process`);
    return c.json(await this.ask(c, module));
  }

  /**
   * Signs the request and passes it on to a process that runs the module: the operators' token stays here. Rejects with the refusal of
   * that process, or with `unavailable` when no process answers.
   */
  async ask({ req }: Context<OperatorRequest>, module: string): Promise<object> {
    const body = req.method === 'GET' ? '' : await textOfOperator(req);
    const operate = this.parts.calls(ofKernel('operate', module), 'home');
    const order = await this.#order(req, module, body);
    const answer = await operate(order).catch((error) => {
      throw isRefusal(error) ? this.#whyNot(module, error) : error;
    });
    return contentOf(module, answer as PassedBack);
  }

  /**
   * Passes the request on, with `body`, to every known process that runs the module. Resolves with the processes that have not
   * accepted it, such as `payments at http://10.0.0.7:4105`.
   */
  async tell({ req }: Context<OperatorRequest>, module: string, body: object): Promise<string[]> {
    const answers = await this.#each(module, await this.#order(req, module, JSON.stringify(body)));
    if (answers.length === 0) return [module];
    return answers.flatMap(({ address, content }) => (content ? [] : [`${module} at ${shownAddress(address)}`]));
  }

  /** Asks every known process of every other module at once. Asks for `path`, or for the path of the request. */
  async processes({ req }: Context<OperatorRequest>, path?: string): Promise<InstanceAnswer[]> {
    const elsewhere = this.parts.modules.filter((module) => !this.parts.open.has(module));
    const asked = elsewhere.map(async (module) => {
      const answers = await this.#each(module, await this.#order(req, module, '', path));
      if (answers.length > 0) return answers;
      const now = Date.now();
      return [{ module, address: null, sentAt: now, receivedAt: now, why: 'it does not run' }];
    });
    return (await Promise.all(asked)).flat();
  }

  /**
   * Answers with the `items` of this process, and with those of every other known process. Names the processes that have not answered. A
   * process that runs several modules is asked for each, so an item may come twice.
   */
  async items<T>(c: Context<OperatorRequest>, items: readonly T[]): Promise<{ items: T[]; missed: string[] }> {
    const asked = this.#mayAsk(c) ? await this.processes(c) : [];
    const missed = asked.filter(({ content }) => !content);
    return {
      items: [...items, ...asked.flatMap(({ content }) => (content as { items: T[] } | undefined)?.items ?? [])],
      missed: missed.map(({ module, address }) => (address ? `${module} at ${shownAddress(address)}` : module)),
    };
  }

  /** Sends an order to every known process that runs the module. Each answers by itself: no other is tried in its place. */
  #each(module: string, input: PassedOn) {
    const at = this.parts.directory.routeTo(module);
    const instances = at.state === 'there' ? at.upstream.instances : [];
    const operation = ofKernel('operate', module);
    const answers = instances.map(async ({ address, link }) => {
      const sentAt = Date.now();
      const context = { requestId: randomUUID(), caller: 'home', deadline: sentAt + tellWithinMs };
      const answer = link.call({ operation, input, context }) as Promise<PassedBack>;
      const answered = await answer
        .then((back) => ({ content: contentOf(module, back) }))
        .catch((error: Error) => ({ why: error.message, content: undefined }));
      return { module, address, sentAt, receivedAt: Date.now(), ...answered };
    });
    return Promise.all(answers);
  }

  /** Signs the operator's request for the processes of the module; or a request for another path. */
  async #order(req: Context['req'], module: string, body: string, other?: string): Promise<PassedOn> {
    const { method } = req;
    const { pathname, search } = new URL(req.url);
    const path = other ?? `${pathname}${search}`;
    const token = bearer(req.header('authorization'));
    const { operators } = this.parts;
    if (!operators) throw refusal('forbidden', 'only the home process passes orders on');
    const signed = await operators.sign(token, { module, method, path, body });
    return { method, path, headers: { 'content-type': 'application/json', [orderHeader]: signed }, body };
  }

  /** Maps an error to a refusal that an operator can act on. */
  #whyNot(module: string, error: Refusal): Refusal {
    if (error.code !== 'unavailable') return error;
    if (isBetweenProcesses(error.cause)) return notAccepted(module, error.cause);
    const at = this.parts.directory.routeTo(module);
    const addresses =
      at.state === 'there' ? at.upstream.instances.map(({ address }) => shownAddress(address)).join(' or ') : '';
    if (addresses === '') return refusal('unavailable', 'it does not run', {}, { cause: error });
    const { cause } = error;
    const why =
      cause instanceof ForeignAnswer ? `${addresses} answers ${cause.status}` : `nobody answers at ${addresses}`;
    return refusal('unavailable', why, {}, { cause: error });
  }

  #passedOn(c: Context<OperatorRequest>): string | undefined {
    return c.env?.passedOn;
  }

  #mayAsk(c: Context<OperatorRequest>): boolean {
    return this.parts.operators !== undefined && this.#passedOn(c) === undefined;
  }

  async #ofOther(c: Context<OperatorRequest>, module: string): Promise<object[]> {
    return this.ask(c, module).then(
      (answer) => (answer as { items: object[] }).items,
      (error: Error) => [{ module, state: 'unreachable', why: error.message } satisfies Away],
    );
  }
}

function contentOf(module: string, { status, body }: PassedBack): object {
  const content: unknown = JSON.parse(body);
  if (status === 200) return content as object;
  throw isProblem(content) ? fromProblem(content) : refusal('unavailable', `${module} answers ${status}`);
}

function notAccepted(module: string, cause: Refusal): Refusal {
  const why =
    cause.code === 'unauthenticated'
      ? `${module} does not know this process; give it an identity of this system (npx kerf identity), or set the same INTERNAL_KEY for both`
      : `${module} refuses this process: ${cause.message}`;
  return refusal('unavailable', why, {}, { cause });
}

/** Refuses any query parameter. For routes that have none. */
export function refuseQuery({ req }: Context<OperatorRequest>): void {
  parseInput(nothing, req.query());
}

/** Parses the body as JSON; an absent body becomes an empty object. Refuses with `malformed-body`. */
export async function bodyOf({ req }: Context<OperatorRequest>): Promise<unknown> {
  const text = await textOfOperator(req);
  return text === '' ? {} : jsonOf(text);
}

/** Reads the body through Hono, which allows a second read of the same body. */
function textOfOperator(req: Context['req']): Promise<string> {
  return textOf({ headers: req.raw.headers, arrayBuffer: () => req.arrayBuffer() });
}
