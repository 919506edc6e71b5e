import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { parseInput } from '../../kernel/contract/index.ts';
import { invalidInput, refusal } from '../../kernel/errors/index.ts';
import { fromQuery } from '../../kernel/http-api/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import type { AdminRoutes } from '../admin-api/index.ts';
import type { ControlPart, PartDependencies } from '../parts/index.ts';
import { advise, type Observations } from './advise.ts';
import { countEvents } from './count-events.ts';
import { Observation } from './observation.ts';
import { priceOf } from './price.ts';
import { beginProfile } from './profile.ts';

const querySchema = z.strictObject({
  seconds: z.coerce.number('must be a number, 1 to 300').min(1).max(300).default(10),
  per: z.string().min(1).max(200).optional(),
});

/** Lets operators ask what the extraction of each module would cost and bring. */
export function advice(): ControlPart {
  return {
    name: 'advice',
    open() {
      const observation = new Observation();
      return {
        observer: (caller, operation) => observation.step(caller, operation),
        serve: (app, _fanOut, around) => serveAdvice(app, { ...around, observation }),
      };
    },
  };
}

interface AdviceDependencies
  extends Pick<
    PartDependencies,
    'definitions' | 'topology' | 'open' | 'directory' | 'moduleProcesses' | 'relocations'
  > {
  readonly observation: Observation;
}

/**
 * Serves `GET /ops/advice?seconds=10&per=module.operation`, one request at a time. It observes the modules of this process for that
 * time and measures the cost of a remote call here. The answer gives, for each module, the costs and benefits of its extraction. Costs
 * are per call of that operation, or per call that a public request makes.
 */
function serveAdvice(app: AdminRoutes, parts: AdviceDependencies): void {
  let isRunning = false;
  app.get('/ops/advice', async (c) => {
    const { seconds, per } = parseInput(querySchema, fromQuery(querySchema, c.req.queries()));
    if (per !== undefined) refuseUnknown(per, parts.definitions);
    if (isRunning) throw refusal('conflict', 'the system is being watched for another already; ask again in a while');
    isRunning = true;
    try {
      const seen = await watch(seconds, per, parts, c.req.raw.signal);
      const { edges, price } = seen;
      const modules = [...parts.open.keys()].filter((name) => parts.directory.routeTo(name).state === 'here');
      const { PARITY: parity } = parts.topology.settings;
      return c.json({ seconds, per: per ?? null, parity, price, items: advise(modules, seen), edges });
    } finally {
      isRunning = false;
    }
  });
}

function refuseUnknown(per: string, definitions: readonly ModuleDefinition[]): void {
  const [module = '', ...rest] = per.split('.');
  const operation = rest.join('.');
  const contract = definitions.find((each) => each.contract.name === module)?.contract;
  if (contract && Object.hasOwn(contract.operations, operation)) return;
  const known = contract ? Object.keys(contract.operations) : definitions.map((each) => each.contract.name);
  const what = contract ? `${module} has no operation "${operation}"` : `there is no module "${module}"`;
  throw invalidInput([{ path: 'per', message: `${what}; there are ${known.join(', ')}` }]);
}

/** Observes the system and measures the price. Ends early when the client disconnects. */
async function watch(
  seconds: number,
  per: string | undefined,
  parts: AdviceDependencies,
  gone: AbortSignal,
): Promise<Observations> {
  const { open, directory, observation, relocations } = parts;
  const endCount = await countEvents(open);
  const endProfile = await beginProfile(process.argv[1]!);
  observation.begin();
  await setTimeout(seconds * 1_000, undefined, { signal: gone }).catch(() => {});
  const edges = observation.end();
  const spent = await endProfile();
  const events = await endCount();
  if (gone.aborted) throw refusal('cancelled', 'the caller has gone');
  const [someHere] = [...open.keys()].filter((name) => directory.routeTo(name).state === 'here');
  if (!someHere) throw refusal('conflict', 'no module runs in this process: there is nothing to advise on');
  const price = await relocations.whileNoneMoves('the price of a call is being measured', (stops) =>
    priceOf(someHere, parts, AbortSignal.any([stops, gone])),
  );
  return { seconds, per, edges, events, cpuMs: spent.modules, longestMs: spent.longest, price };
}
