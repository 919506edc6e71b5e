import type { Context, Hono } from 'hono';
import { fromProblem, invalidInput, isProblem, refusal } from '../errors/index.ts';
import type { ServiceTokens } from '../identity/index.ts';
import type { OpenModule } from '../module/index.ts';
import type { Directory } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';

const withinMs = 10_000;

/** What the tokens are for that processes show each other on the operators' pages; no module can have this name. */
export const operatorsAudience = '/ops';

/** A request of an operator; of `passedOn` only this process's own part is wanted. */
interface Asked {
  Variables: { passedOn: boolean };
}
export type Operations = Hono<Asked>;

interface Parts {
  readonly modules: readonly string[];
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly tokens: ServiceTokens;
  /** Whether this process speaks for the whole system; a service speaks for its own modules. */
  readonly home: boolean;
}

/** All modules as operators meet them, wherever they run: what this process cannot answer, it asks the one that can. */
export class Everywhere {
  constructor(private readonly parts: Parts) {}

  /**
   * Answers with the rows of every module, or of the one that is `meant`. A process that cannot be asked makes a row
   * `{ module, state: 'unreachable', why }` for each of its modules.
   */
  async rows(
    c: Context<Asked>,
    meant: string | undefined,
    read: (module: OpenModule) => Promise<object[]>,
  ): Promise<Response> {
    const { modules, open } = this.parts;
    if (meant !== undefined && !modules.includes(meant)) {
      throw invalidInput([
        { path: 'module', message: `there is no module "${meant}"; there are ${modules.join(', ')}` },
      ]);
    }
    const wanted = modules.filter((module) => meant === undefined || module === meant);
    const here = wanted.flatMap((name) => open.get(name) ?? []);
    const rows = here.map(async (module) => (await read(module)).map((row) => ({ module: module.name, ...row })));
    const elsewhere = this.#mayAsk(c) ? this.#ofOthers(c, wanted) : [];
    return c.json({ items: (await Promise.all([...rows, elsewhere])).flat() });
  }

  /** Answers about the one thing that is named `{module}.{id}` in the path. Refuses with `not-found`, or `unavailable`. */
  async one(c: Context<Asked>, answer: (module: OpenModule, id: string) => Promise<object>): Promise<Response> {
    const [, module = '', id = ''] = /^([^.]+)\.(.+)$/s.exec(c.req.param('id') ?? '') ?? [];
    const here = this.parts.open.get(module);
    if (here) return c.json(await answer(here, id));
    if (!this.parts.modules.includes(module))
      throw refusal('not-found', 'nothing is called so; a name begins with its module, as the lists write it');
    if (!this.#mayAsk(c)) throw refusal('not-found', `${module} does not run in this process; ask the home process`);
    const at = this.parts.directory.of(module);
    if (at.state !== 'there') throw refusal('unavailable', `${module} cannot be reached`);
    return c.json(await this.#ask(at.address, c));
  }

  #mayAsk(c: Context<Asked>): boolean {
    return this.parts.home && !c.get('passedOn');
  }

  async #ofOthers(c: Context<Asked>, wanted: readonly string[]): Promise<object[]> {
    const byAddress = new Map<string | undefined, string[]>();
    for (const module of wanted) {
      const at = this.parts.directory.of(module);
      if (at.state === 'here') continue;
      const address = at.state === 'there' ? at.address : undefined;
      byAddress.set(address, [...(byAddress.get(address) ?? []), module]);
    }
    const answers = [...byAddress].map(async ([address, modules]) => {
      const unreachable = (why: string) => modules.map((module) => ({ module, state: 'unreachable', why }));
      if (address === undefined) return unreachable('it does not run');
      return this.#ask(address, c).then(
        (answer) => (answer as { items: object[] }).items,
        (error: Error) => unreachable(error.message),
      );
    });
    return (await Promise.all(answers)).flat();
  }

  /** Passes the request on, in this process's name: the operators' token stays here. Rejects with the other's refusal. */
  async #ask(address: string, { req }: Context<Asked>): Promise<object> {
    const { pathname, search } = new URL(req.url);
    const token = await this.parts.tokens.issue('home', operatorsAudience);
    const answer = await this.parts.peers
      .at(address)
      .request({
        method: req.method as 'GET' | 'POST',
        path: `${pathname}${search}`,
        body: req.method === 'GET' ? null : await req.text(),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(withinMs),
      })
      .catch((error: unknown) => {
        throw refusal('unavailable', `nobody answers at ${address}`, {}, { cause: error });
      });
    const content: unknown = await answer.body.json().catch(() => undefined);
    if (answer.statusCode === 200) return content as object;
    if (answer.statusCode === 401) {
      throw refusal('unavailable', `${address} does not know this process; set the same INTERNAL_KEY for both`);
    }
    throw isProblem(content) ? fromProblem(content) : refusal('unavailable', `${address} answers ${answer.statusCode}`);
  }
}

/** The body as JSON; without one, an empty object. Refuses with `malformed-body`. */
export async function bodyOf({ req }: Context<Asked>): Promise<unknown> {
  const text = await req.text();
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw refusal('malformed-body', 'the body is not well-formed JSON');
  }
}
