import { type Operation, parseInput } from '../../kernel/contract/index.ts';
import { type Issue, invalidInput } from '../../kernel/errors/index.ts';
import type { ModuleDefinition } from '../../kernel/module/index.ts';
import { type AdminRoutes, bodyOf, type FanOut } from '../admin-api/index.ts';
import { type CallFault, type FaultOrder, faultsSchema } from '../admin-contract/index.ts';
import type { PartDependencies } from '../parts/index.ts';
import type { CallFaults } from './call-faults.ts';

type Around = Pick<
  PartDependencies,
  'topology' | 'definitions' | 'directory' | 'moduleProcesses' | 'identity' | 'share'
>;

/**
 * Serves faults on demand. A fault applies to calls from a caller to an operation, for a time, in every process that can be told. A
 * module process that this process starts gets the faults whenever it becomes ready. `PUT /ops/faults` replaces all earlier faults; an
 * empty list ends them.
 */
export function serveFaults(app: AdminRoutes, fanOut: FanOut, faults: CallFaults, around: Around): void {
  const { moduleProcesses, directory, definitions } = around;
  const list = () => faults.list().map(({ until, ...fault }) => ({ ...fault, until: new Date(until).toISOString() }));
  app.get('/ops/faults', (c) => c.json({ items: list() }));
  app.put('/ops/faults', async (c) => {
    const given = parseInput(faultsSchema, await bodyOf(c));
    const passedOn = c.env?.passedOn !== undefined;
    const issues = passedOn ? [] : given.faults.flatMap((fault, at) => issuesOf(fault, at, around));
    if (issues.length > 0) throw invalidInput(issues);
    const now = around.identity.now();
    faults.set(given.faults.map(({ forMs, ...fault }): CallFault => ({ ...fault, until: now + forMs })));
    around.share();
    const elsewhere = definitions
      .map(({ contract }) => contract.name)
      .filter((name) => moduleProcesses.of(name).length === 0 && directory.routeTo(name).state === 'there');
    const told = passedOn ? [] : elsewhere.map((name) => fanOut.tell(c, name, given));
    const missed = await Promise.all(told);
    return c.json({ items: list(), missed: missed.flat() });
  });
}

/** Returns the issues of a fault. A fault that no call can meet is a mistake. */
function issuesOf(fault: FaultOrder, at: number, around: Around): Issue[] {
  const { caller, operation, latencyMs, jitterMs, error, lose, double, inside } = fault;
  const issue = (path: string, message: string) => [{ path: `faults.${at}.${path}`, message }];
  const names = around.definitions.map(({ contract }) => contract.name);
  if (!['*', 'gateway', ...names].includes(caller)) {
    return issue('caller', `there is no module "${caller}"; say *, gateway, or one of ${names.join(', ')}`);
  }
  if (!latencyMs && !jitterMs && !error && !lose && !double && !inside)
    return issue('latencyMs', 'say what is to happen: latencyMs, jitterMs, error, lose, double or inside');
  const why =
    operation === '*' ? undefined : (unknown(operation, around.definitions) ?? undeclared(fault, around.definitions));
  if (why) return issue('operation', why);
  if (inside || leavesThisProcess(fault, names, around)) return [];
  return issue(
    'operation',
    `calls from ${caller} to ${operation} do not leave this process, whose PARITY is fast: set it to strict, or move a module out`,
  );
}

function unknown(given: string, definitions: readonly ModuleDefinition[]): string | undefined {
  const [, name, member = ''] = /^([^.]+)\.(.+)$/.exec(given) ?? [];
  const contract = definitions.find((each) => each.contract.name === name)?.contract;
  if (!contract) {
    const names = definitions.map((each) => each.contract.name);
    return `"${given}" is no operation; say *, or such as payments.* and payments.authorize, of ${names.join(', ')}`;
  }
  const operations = (Object.values(contract.operations) as Operation[]).map((each) => each.name);
  if (member === '*' || operations.includes(member)) return undefined;
  return `${name} has no operation "${member}"; it has ${operations.join(', ')}`;
}

/** Returns why the caller never makes this call: a module calls only itself, for its public resources, and modules that it uses. */
function undeclared({ caller, operation }: FaultOrder, definitions: readonly ModuleDefinition[]): string | undefined {
  const [callee = ''] = operation.split('.');
  const uses = definitions.find(({ contract }) => contract.name === caller)?.about.uses;
  if (!uses || callee === caller || uses.includes(callee)) return undefined;
  const used = uses.length === 0 ? 'none' : uses.join(', ');
  return `${caller} does not call ${callee}: the modules that it uses, by its module.json, are ${used}; put the fault on an edge that there is, or say * for the caller`;
}

/** Whether such calls can meet a fault: with fast parity, only calls that leave this process can. */
function leavesThisProcess({ caller, operation }: FaultOrder, names: readonly string[], around: Around): boolean {
  if (around.topology.settings.PARITY === 'strict') return true;
  const [name = '*'] = operation.split('.');
  const here = (who: string) => who === 'gateway' || around.directory.routeTo(who).state === 'here';
  const meant = (who: string) => (who === '*' ? names : [who]);
  return ![...meant(caller), ...meant(name)].every(here);
}
