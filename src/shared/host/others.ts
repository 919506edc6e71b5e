import { fromProblem, isProblem, refusal } from '../errors/index.ts';
import type { OpenModule } from '../module/index.ts';
import type { Directory } from '../topology/index.ts';
import type { Peers } from '../transport/index.ts';

const withinMs = 10_000;

export interface OthersParts {
  readonly open: ReadonlyMap<string, OpenModule>;
  readonly directory: Directory;
  readonly peers: Peers;
  /** The operators' token, which is the same in all processes on one data folder. */
  readonly token: string;
  readonly modules: readonly string[];
  /** Whether this process speaks for the whole system. */
  readonly home: boolean;
}

interface Request {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
}

/** The operators' pages of the other processes. */
export class Others {
  constructor(private readonly parts: OthersParts) {}

  /**
   * What every other process answers for its own modules; one that cannot be asked, as a row that says so. Only the home
   * process asks: a service answers for itself.
   */
  async everywhere(request: Request): Promise<{ items: unknown[] }[]> {
    const { modules, home, open, directory } = this.parts;
    if (!home) return [];
    const byAddress = new Map<string, string>();
    const away: string[] = [];
    for (const module of modules.filter((each) => !open.has(each))) {
      const at = directory.of(module);
      if (at.state === 'there') byAddress.set(at.address, module);
      else away.push(module);
    }
    const unreachable = (module: string) => ({ items: [{ module, state: 'unreachable' }] });
    const answers = [...byAddress].map(async ([address, module]) => {
      const path = `${request.path}${request.path.includes('?') ? '&' : '?'}here=true`;
      return this.#ask(address, { ...request, path }).catch(() => unreachable(module));
    });
    return [...(await Promise.all(answers)), ...away.map(unreachable)] as { items: unknown[] }[];
  }

  /** What the process that runs `module` answers. Rejects with its refusal, or `unavailable`. */
  async one(module: string, request: Request): Promise<unknown> {
    const at = this.parts.modules.includes(module) ? this.parts.directory.of(module) : undefined;
    if (!at) throw refusal('not-found', `there is no module "${module}"`);
    if (at.state !== 'there') throw refusal('unavailable', `${module} cannot be reached`);
    return this.#ask(at.address, request);
  }

  async #ask(address: string, { method, path, body }: Request): Promise<unknown> {
    const answer = await this.parts.peers
      .at(address)
      .request({
        ...{ method, path },
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: { authorization: `Bearer ${this.parts.token}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(withinMs),
      })
      .catch((error: unknown) => {
        throw refusal('unavailable', 'the process of that module does not answer', {}, { cause: error });
      });
    const content: unknown = await answer.body.json().catch(() => undefined);
    if (answer.statusCode < 300) return content;
    throw isProblem(content) ? fromProblem(content) : refusal('unavailable', `it answered ${answer.statusCode}`);
  }
}
