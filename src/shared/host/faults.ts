import { z } from 'zod';
import { type Operation, parseInput } from '../contract/index.ts';
import { invalidInput } from '../errors/index.ts';
import { type EdgeFault, type EdgeFaults, edgeFaultSchema } from '../faults/index.ts';
import type { ModuleDefinition } from '../module/index.ts';
import type { Directory, Topology } from '../topology/index.ts';
import { bodyOf, type Everywhere, type Operations } from './everywhere.ts';
import type { Services } from './services.ts';

const longestMs = 60 * 60_000;
const asked = edgeFaultSchema.omit({ until: true }).extend({ forMs: z.int().min(1).max(longestMs) });
const requestSchema = z.strictObject({ faults: z.array(asked).max(100) });

interface Parts {
  readonly topology: Topology;
  readonly definitions: readonly ModuleDefinition[];
  readonly directory: Directory;
  readonly faults: EdgeFaults;
  readonly services: Services;
}

/**
 * Faults on demand: what is put on an edge, from a caller to an operation, holds for a time, in every process of the system.
 * `PUT /ops/faults` replaces those that were; with none it ends them.
 */
export function serveFaults(app: Operations, everywhere: Everywhere, parts: Parts): void {
  const { faults, services, directory, definitions } = parts;
  const list = () => faults.list().map(({ until, ...fault }) => ({ ...fault, until: new Date(until).toISOString() }));
  app.get('/ops/faults', (c) => c.json({ items: list() }));
  app.put('/ops/faults', async (c) => {
    const given = parseInput(requestSchema, await bodyOf(c));
    const issues = given.faults.flatMap((fault, at) => issuesOf(fault, at, parts));
    if (issues.length > 0) throw invalidInput(issues);
    const now = Date.now();
    faults.set(given.faults.map(({ forMs, ...fault }): EdgeFault => ({ ...fault, until: now + forMs })));
    services.tellFaults();
    const elsewhere = definitions
      .map(({ contract }) => contract.name)
      .filter((name) => services.of(name).length === 0 && directory.of(name).state === 'there');
    const told = c.env?.passedOn === undefined ? elsewhere : [];
    const missed = await Promise.all(
      told.map((name) =>
        everywhere.ask(c, name, JSON.stringify(given)).then(
          () => [],
          () => [name],
        ),
      ),
    );
    return c.json({ items: list(), missed: missed.flat() });
  });
}

type Asked = z.output<typeof asked>;

/** A fault that no call can meet is a mistake, and says so. */
function issuesOf({ caller, operation, ...fault }: Asked, at: number, { definitions, directory, topology }: Parts) {
  const issue = (path: string, message: string) => [{ path: `faults.${at}.${path}`, message }];
  const names = definitions.map(({ contract }) => contract.name);
  if (!['*', 'gateway', ...names].includes(caller)) {
    return issue('caller', `there is no module "${caller}"; say *, gateway, or one of ${names.join(', ')}`);
  }
  const { latencyMs, jitterMs, error, lose, double } = fault;
  if (!latencyMs && !jitterMs && !error && !lose && !double)
    return issue('latencyMs', 'say what is to happen: latencyMs, jitterMs, error, lose or double');
  if (operation === '*') return [];
  const [name = '', member = ''] = operation.split('.');
  const contract = definitions.find((each) => each.contract.name === name)?.contract;
  const operations = contract && (Object.values(contract.operations) as Operation[]).map((each) => each.name);
  if (!operations)
    return issue('operation', `say *, or such as payments.* and payments.authorize, of ${names.join(', ')}`);
  if (member !== '*' && !operations.includes(member))
    return issue('operation', `${name} has no operation "${member}"; it has ${operations.join(', ')}`);
  if (topology.settings.PARITY === 'fast' && directory.of(name).state === 'here')
    return issue(
      'operation',
      `${name} runs within this process, whose PARITY is fast: set it to strict, or move the module out`,
    );
  return [];
}
