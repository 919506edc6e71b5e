import { parseInput } from '../../src/shared/contract/index.ts';
import { fromProblem, isRefusal, type Problem, refusal, toProblem } from '../../src/shared/errors/index.ts';
import { asCallerSees } from '../../src/shared/transport/as-caller-sees.ts';
import { timedOut } from '../../src/shared/transport/deadlines.ts';
import type { CallRequest, Transport } from '../../src/shared/transport/index.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

/** One question and its answer, on its way between two modules. */
interface Exchange {
  readonly from: string;
  readonly to: string;
  /** In the words of the chronicle. */
  readonly what: string;
  readonly line: string;
  readonly deadline: number;
  readonly late: () => Error;
  /** Whether it may come twice. */
  readonly withKey: boolean;
  readonly serve: (life: Life, line: string) => Promise<unknown>;
}

const nobody = () => {};

/**
 * Carries calls and events. Within a process they only take their time; between two they may be lost on the way there or
 * back (and the sender told, or left to wait), come twice, or come late.
 */
export class Network {
  /** Messages that have been sent and have not arrived. */
  underWay = 0;

  constructor(private readonly world: World) {}

  /** How the process `from` calls; without one, how the world outside does. */
  transport(from?: Life): Transport {
    return { call: (request) => this.#call(from, request) };
  }

  async #call(from: Life | undefined, request: CallRequest): Promise<unknown> {
    const { operation, input, context } = request;
    try {
      const answer = await this.exchange(from, {
        from: context.caller,
        to: operation.module,
        what: operation.name,
        line: JSON.stringify({ input: parseInput(operation.input, input), context }),
        deadline: context.deadline,
        late: () => timedOut(operation),
        withKey: operation.kind === 'query' || context.idempotencyKey !== undefined,
        serve: (life, line) => {
          const { input: sent, context: carried } = JSON.parse(line);
          const open = life.open.get(operation.module)!;
          return open.dispatch(operation.name, sent, carried);
        },
      });
      const output = operation.output.safeParse(answer);
      if (output.success) return output.data;
      throw refusal('internal', `${operation.module}.${operation.name} answered what its contract does not say`);
    } catch (error) {
      throw asCallerSees(error, request);
    }
  }

  /** Resolves with the answer, or rejects as a transport does. For a process that has crashed it never settles. */
  exchange(from: Life | undefined, exchange: Exchange): Promise<unknown> {
    const { world } = this;
    return new Promise((resolve, reject) => {
      const settle = (answer: () => void) => {
        cancel();
        if (from?.alive !== false) answer();
      };
      const fail = () => settle(() => reject(refusal('unavailable', `${exchange.to} cannot be reached`)));
      const cancel = world.scheduler.after(exchange.deadline - world.scheduler.time, () => {
        world.chronicle?.arrow(
          'lost',
          exchange.to,
          exchange.from,
          exchange.what,
          'came to no answer in time',
          exchange.line,
        );
        settle(() => reject(exchange.late()));
      });
      const answered = (text: string) => {
        const { problem, output } = JSON.parse(text) as { problem?: Problem; output?: unknown };
        settle(() => (problem ? reject(fromProblem(problem)) : resolve(output)));
      };
      if (from?.host.names.includes(exchange.to)) this.#near(from, exchange, answered);
      else this.#far(exchange, answered, fail);
    });
  }

  /** Within one process nothing is lost, unless all is. */
  #near(life: Life, exchange: Exchange, answered: (text: string) => void): void {
    const { random, scheduler } = this.world;
    scheduler.after(random.between(0, 1), () => {
      if (life.alive)
        this.#serve(life, exchange, (text) => scheduler.after(random.between(0, 1), () => answered(text)));
    });
  }

  #far(exchange: Exchange, answered: (text: string) => void, failed: () => void): void {
    this.#try(exchange, answered, failed);
    if (exchange.withKey && this.world.strikes('twice')) this.#try(exchange, nobody, nobody);
  }

  #try(exchange: Exchange, answered: (text: string) => void, failed: () => void): void {
    const { world } = this;
    const { from, to, what, line } = exchange;
    const lost = (arrow: 'there' | 'back') => {
      const ends = arrow === 'there' ? ([from, to] as const) : ([to, from] as const);
      world.chronicle?.arrow('lost', ...ends, what, arrow === 'there' ? 'is lost' : 'has its answer lost', line);
      if (world.random.chance(0.5)) this.#send(failed);
    };
    if (world.strikes('loss')) {
      lost('there');
      return;
    }
    this.#send(() => {
      const life = world.lifeOf(to);
      if (!life?.reachable) {
        world.chronicle?.arrow('lost', from, to, what, 'finds nobody', line);
        this.#send(failed);
        return;
      }
      const interrupted = () => {
        if (world.random.chance(0.7)) this.#send(failed);
      };
      life.waiting.add(interrupted);
      this.#serve(life, exchange, (text) => {
        life.waiting.delete(interrupted);
        if (world.strikes('loss')) lost('back');
        else this.#send(() => answered(text));
      });
    });
  }

  #send(arrive: () => void): void {
    const { world } = this;
    this.underWay += 1;
    const delay = world.strikes('late') ? world.random.between(50, 6_000) : world.random.between(0.2, 5);
    world.scheduler.after(delay, () => {
      this.underWay -= 1;
      arrive();
    });
  }

  #serve(life: Life, { from, to, what, line, serve }: Exchange, answer: (text: string) => void): void {
    const { chronicle } = this.world;
    chronicle?.arrow('ask', from, to, what, '', line);
    life.serving += 1;
    const told = (kind: 'answer' | 'refusal', text: string) => {
      if (!life.alive) return;
      life.serving -= 1;
      const code = kind === 'refusal' ? `is refused as ${JSON.parse(text).problem.code}` : '';
      chronicle?.arrow(kind, to, from, what, code, line, text);
      answer(text);
    };
    this.world.watch(
      serve(life, line).then(
        (output) => told('answer', JSON.stringify({ output })),
        (error) => {
          if (!isRefusal(error)) this.world.fault(`${to} failed on ${what}: ${(error as Error).stack}`);
          told('refusal', JSON.stringify({ problem: toProblem(error) }));
        },
      ),
    );
  }
}
