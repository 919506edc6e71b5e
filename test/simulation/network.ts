import { asCallerSees } from '../../src/shared/kernel/calls/client.ts';
import { byDeadline, cancelledBefore, timedOut } from '../../src/shared/kernel/calls/deadlines.ts';
import { type CallRequest, kernelOperation, type Transport } from '../../src/shared/kernel/calls/index.ts';
import { type CallContext, Cancellation } from '../../src/shared/kernel/context/index.ts';
import { parseInput } from '../../src/shared/kernel/contract/index.ts';
import { fromProblem, isRefusal, type Problem, refusal, toProblem } from '../../src/shared/kernel/errors/index.ts';
import type { OpenModule } from '../../src/shared/kernel/module/index.ts';
import type { Life } from './host.ts';
import type { World } from './world.ts';

/** One request and its answer, in flight between two modules. */
interface Exchange {
  readonly from: string;
  readonly to: string;
  /** Description for the chronicle. */
  readonly what: string;
  readonly line: string;
  readonly deadline: number;
  /** The cancellation of the caller. */
  readonly cancellation?: Cancellation;
  readonly late: () => Error;
  readonly unwanted: () => Error;
  /** Whether the network may deliver the request twice. */
  readonly withKey: boolean;
  readonly serve: (life: Life, line: string, unwanted: Cancellation) => Promise<unknown>;
}

/** The cancellations of the handlers that serve an exchange. */
type Servers = Set<Cancellation>;

const nobody = () => {};

/**
 * Carries calls and events. Within a process it only delays them. Between processes it may lose, repeat or delay a request, and
 * lose or delay an answer. After a loss the sender gets an error, or waits until its deadline.
 */
export class Network {
  /** Number of messages in flight. */
  inFlight = 0;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Returns the transport of the process `from`. Without `from`, returns the transport of an outside client. */
  transport(from?: Life): Transport {
    return { call: (request) => this.#call(from, request) };
  }

  async #call(from: Life | undefined, request: CallRequest): Promise<unknown> {
    const { operation, input, context } = request;
    const { cancellation, ...carried } = context;
    const parsed = parseInput(operation.input, input);
    const events = kernelOperation(operation.name) && eventsIn(parsed);
    try {
      const answer = await this.exchange(from, {
        from: context.caller,
        to: operation.module,
        what: events ? `event ${events.map(({ type }) => type.split('.')[1]).join(' and ')}` : operation.name,
        line: JSON.stringify({ input: events ?? parsed, context: carried }),
        deadline: context.deadline,
        cancellation,
        late: () => timedOut(operation),
        unwanted: () => cancelledBefore(operation),
        withKey: operation.kind === 'query' || events !== undefined || context.idempotencyKey !== undefined,
        serve: (life, line, unwanted) => {
          const { input: sent, context: received } = JSON.parse(line) as { input: never; context: CallContext };
          const open = life.open.get(operation.module)!;
          const served = { ...received, cancellation: unwanted };
          const work = events ? receive(open, sent) : open.dispatch(operation.name, sent, served);
          return byDeadline(work, served, operation);
        },
      });
      const output = operation.output.safeParse(answer);
      if (output.success) return output.data;
      throw refusal(
        'internal',
        `${operation.module}.${operation.name} gave an answer that does not match its contract`,
      );
    } catch (error) {
      throw asCallerSees(error, request);
    }
  }

  /** Resolves with the answer, or rejects as a transport does. For a crashed caller the promise never settles. */
  exchange(from: Life | undefined, exchange: Exchange): Promise<unknown> {
    const { world } = this;
    const { cancellation, what, line } = exchange;
    const servers: Servers = new Set();
    return new Promise((resolve, reject) => {
      const settle = (answer: () => void) => {
        cancel();
        ignore?.();
        if (!from) answer();
        else from.run(answer);
      };
      const giveUp = (why: () => Error) => {
        settle(() => reject(why()));
        this.#tellUnwanted(servers);
      };
      const fail = () => settle(() => reject(refusal('unavailable', `${exchange.to} cannot be reached`)));
      const cancel = world.scheduler.after(exchange.deadline - world.scheduler.time, () => {
        world.chronicle?.arrow('lost', exchange.to, exchange.from, what, 'came to no answer in time', line);
        giveUp(exchange.late);
        cancellation?.cancel();
      });
      const ignore = cancellation?.onCancel(() => giveUp(exchange.unwanted));
      const answered = (text: string) => {
        const { problem, output } = JSON.parse(text) as { problem?: Problem; output?: unknown };
        settle(() => (problem ? reject(fromProblem(problem)) : resolve(output)));
      };
      if (from?.host.names.includes(exchange.to)) this.#near(from, exchange, servers, answered);
      else this.#far(exchange, servers, answered, fail);
    });
  }

  /** Cancels the handlers of an exchange. Each cancellation arrives with a delay, or is lost. */
  #tellUnwanted(servers: Servers): void {
    for (const each of servers) if (!this.world.strikes('loss')) this.#send(() => each.cancel());
  }

  /** Delivers within one process. No message is lost, unless the process crashes. */
  #near(life: Life, exchange: Exchange, servers: Servers, answered: (text: string) => void): void {
    const { random, scheduler } = this.world;
    const answer = (text: string) => void scheduler.after(random.between(0, 1), () => answered(text));
    scheduler.after(random.between(0, 1), () => life.run(() => this.#serve(life, exchange, servers, answer)));
  }

  #far(exchange: Exchange, servers: Servers, answered: (text: string) => void, failed: () => void): void {
    this.#try(exchange, servers, answered, failed);
    if (exchange.withKey && this.world.strikes('twice')) this.#try(exchange, servers, nobody, nobody);
  }

  #try(exchange: Exchange, servers: Servers, answered: (text: string) => void, failed: () => void): void {
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
      const answer = (text: string) => {
        life.waiting.delete(interrupted);
        if (world.strikes('loss')) lost('back');
        else this.#send(() => answered(text));
      };
      life.run(() => this.#serve(life, exchange, servers, answer));
    });
  }

  #send(arrive: () => void): void {
    const { world } = this;
    this.inFlight += 1;
    const delay = world.strikes('late') ? world.random.between(50, 6_000) : world.random.between(0.2, 5);
    world.scheduler.after(delay, () => {
      this.inFlight -= 1;
      arrive();
    });
  }

  #serve(life: Life, exchange: Exchange, servers: Servers, answer: (text: string) => void): void {
    const { from, to, what, line, serve } = exchange;
    const { chronicle } = this.world;
    const unwanted = new Cancellation();
    servers.add(unwanted);
    chronicle?.arrow('ask', from, to, what, '', line);
    life.serving += 1;
    const told = (kind: 'answer' | 'refusal', text: string) => {
      servers.delete(unwanted);
      if (!life.alive) return;
      life.serving -= 1;
      const code = kind === 'refusal' ? `is refused as ${JSON.parse(text).problem.code}` : '';
      chronicle?.arrow(kind, to, from, what, code, line, text);
      answer(text);
    };
    this.world.watch(
      serve(life, line, unwanted).then(
        (output) => told('answer', JSON.stringify({ output })),
        (error) => {
          if (!isRefusal(error)) this.world.fault(`${to} failed on ${what}: ${(error as Error).stack}`);
          told('refusal', JSON.stringify({ problem: toProblem(error) }));
        },
      ),
    );
  }
}

interface Event {
  readonly type: string;
}

/** Parses the events of a `kerf.receive` call. The chronicle needs objects: JSON inside JSON is unreadable in a diagram. */
function eventsIn(input: unknown): Event[] {
  return (input as { events: string[] }).events.map((text) => JSON.parse(text));
}

/** Delivers events to a module as the internal listener does. */
async function receive(open: OpenModule, events: readonly Event[]): Promise<object> {
  try {
    await Promise.all(events.map((event) => open.receive(event)));
    return {};
  } catch (error) {
    throw isRefusal(error) ? error : refusal('internal', (error as Error).message, {}, { cause: error });
  }
}
