// Checks of each process of the running system.
import type { AskedProcess, ProcessFacts } from '../../src/shared/control/admin-contract/index.ts';
import { clocksDifferMs } from '../../src/shared/kernel/leader-election/index.ts';
import { error, type Finding, ok, warning } from './check.ts';
import { room } from './folder.ts';
import { renewTls, validity } from './secrets.ts';
import { bytes, span } from './units.ts';

type Processes = readonly AskedProcess[];
type Answered = AskedProcess & { readonly facts: ProcessFacts };

/** Returns the processes that answered, each once: a process that runs several modules is asked for each. */
function answered(processes: Processes): Answered[] {
  const known = new Map<string, Answered>();
  for (const each of processes) {
    const { facts } = each;
    if (facts && !known.has(keyOf(facts))) known.set(keyOf(facts), { ...each, facts });
  }
  return [...known.values()];
}

/** In containers, processes with the same id may be on hosts with the same name. */
const keyOf = ({ name, host, pid }: ProcessFacts) => `${name} ${host} ${pid}`;
const nameOf = ({ name, pid }: ProcessFacts) => `${name} (process ${pid})`;

/** Says which processes answer. */
export function answers(processes: Processes): Finding[] {
  const silent = processes.filter(({ facts }) => !facts);
  return [
    ok(
      `${answered(processes)
        .map(({ facts }) => nameOf(facts))
        .join(', ')}`,
    ),
    ...silent.map(({ module, address, why }) =>
      error(
        `${module}${address ? ` at ${address}` : ''} does not answer: ${why}`,
        'see the log of the process, whether it runs, and whether its event loop turns',
      ),
    ),
  ];
}

/** Compares the versions of Node.js, and the contracts that the processes know, with those of the home process. */
export function versions(processes: Processes): Finding[] {
  const [home, ...others] = answered(processes).map(({ facts }) => facts);
  if (!home) return [];
  const findings = others.flatMap((facts) => {
    const found: Finding[] = [];
    if (facts.node !== home.node)
      found.push(
        warning(
          `${nameOf(facts)} runs Node.js ${facts.node}, the home process ${home.node}`,
          'run one version everywhere',
        ),
      );
    const other = Object.keys(facts.contracts).filter(
      (module) => (home.contracts[module] ?? facts.contracts[module]) !== facts.contracts[module],
    );
    if (other.length > 0)
      found.push(
        warning(
          `${nameOf(facts)} knows another contract of ${other.join(', ')} than the home process`,
          'two releases run: complete the change of release; npx kerf check-releases says whether they fit together',
        ),
      );
    return found;
  });
  if (findings.length > 0) return findings;
  return [ok(`Node.js ${home.node} and the same ${Object.keys(home.contracts).length} contracts in every process`)];
}

const skewMs = 500;

/** The difference between two clocks, as a round trip shows it; it is exact to within `errorMs`. */
export function skewOf({ sentAt, receivedAt, facts }: Answered): { offsetMs: number; errorMs: number } {
  return {
    offsetMs: Math.round((facts.receivedAt - sentAt + (facts.sentAt - receivedAt)) / 2),
    errorMs: Math.ceil((receivedAt - sentAt - (facts.sentAt - facts.receivedAt)) / 2),
  };
}

/** Compares the clock of each process with the clock of the home process, and with its own past. */
export function clocks(processes: Processes): Finding[] {
  const cure = 'have a time service (chrony, systemd-timesyncd) set the clock of that machine';
  const [, ...others] = answered(processes);
  const apart = others.flatMap((each) => {
    const { offsetMs, errorMs } = skewOf(each);
    const what = `the clock of ${nameOf(each.facts)} differs by ${offsetMs} ms (± ${errorMs}) from that of the home process`;
    const leastMs = Math.abs(offsetMs) - errorMs;
    if (leastMs > clocksDifferMs) return [error(`${what}; leases allow ${clocksDifferMs} ms`, cure)];
    if (leastMs > skewMs) return [warning(what, cure)];
    return errorMs > skewMs
      ? [warning(`${what}; the answer took too long to say more`, 'try again when less is going on')]
      : [];
  });
  const stepped = answered(processes).flatMap(({ facts }) =>
    Math.abs(facts.steppedMs) > clocksDifferMs
      ? [warning(`the clock of ${nameOf(facts)} has stepped by ${facts.steppedMs} ms since it began`, cure)]
      : [],
  );
  const findings = [...apart, ...stepped];
  if (findings.length > 0) return findings;
  if (others.length === 0) return [ok('there is one process, so no clocks to compare')];
  const widest = Math.max(0, ...others.map(skewOf).map(({ offsetMs, errorMs }) => Math.abs(offsetMs) + errorMs));
  return [ok(`the clocks of ${others.length + 1} processes differ by at most ${widest} ms`)];
}

const lateLoopMs = 1_000;
const fullShare = 0.8;

/** Checks the event loop, the open files and the memory of each process. */
export function load(processes: Processes): Finding[] {
  const findings = answered(processes).flatMap(({ facts }) => {
    const { loopDelayMs, files, memory } = facts;
    const who = nameOf(facts);
    return [
      loopDelayMs > lateLoopMs &&
        warning(
          `the event loop of ${who} was blocked for ${loopDelayMs} ms`,
          'npx kerf advise names the module that holds it',
        ),
      files &&
        files.open > fullShare * files.limit &&
        warning(
          `${who} has ${files.open} of ${files.limit} files open`,
          'raise the limit (ulimit -n, LimitNOFILE of systemd)',
        ),
      memory.limitBytes > 0 &&
        memory.usedBytes > fullShare * memory.limitBytes &&
        warning(
          `${who} uses ${bytes(memory.usedBytes)} of ${bytes(memory.limitBytes)}`,
          'give its container more memory',
        ),
    ].filter((finding) => finding !== false && finding !== null);
  });
  return findings.length > 0 ? findings : [ok('every event loop turns in time, with files and memory to spare')];
}

/** Checks the room in the data folder of each process. */
export function disks(processes: Processes): Finding[] {
  const folders = Map.groupBy(answered(processes), ({ facts: { host, disk } }) => `${host} ${disk.folder}`);
  return [...folders.values()].flatMap(([each]) => (each ? room(each.facts.disk, `${nameOf(each.facts)}: `) : []));
}

/** Certificates that the home process gives for a day are renewed at half of that time. */
const notRenewedMs = 6 * 60 * 60_000;

/** Checks the certificates with which each process runs: a file may have changed since it began. */
export function certificates(processes: Processes, now = Date.now()): Finding[] {
  const findings = answered(processes).flatMap(({ facts }) => {
    const who = nameOf(facts);
    const tls = facts.certificates.map(({ setting, until }) => validity(`${setting} of ${who}`, until, now, renewTls));
    return [...tls, ...(facts.identity ? [identity(who, facts.identity, now)] : [])];
  });
  const wrong = findings.filter(({ level }) => level !== 'ok');
  return wrong.length > 0 ? wrong : [ok(`certificates in use: ${findings.length}, none of them ends soon`)];
}

function identity(who: string, { until, file }: NonNullable<ProcessFacts['identity']>, now: number): Finding {
  if (file !== undefined)
    return validity(`the identity of ${who} (${file})`, until, now, 'make a new file: npx kerf identity module');
  const what = `the identity of ${who}`;
  if (until - now > notRenewedMs) return ok(`${what} is renewed in time`);
  const left = until > now ? `ends in ${span(until - now)}, and was not renewed` : 'has ended';
  return error(`${what} ${left}`, 'see whether the process reaches the home process (HOME_ADDRESS)');
}

/** Says which processes export telemetry. */
export function telemetry(processes: Processes): Finding[] {
  const set = Map.groupBy(answered(processes), ({ facts }) => facts.exporters.join(', '));
  return [...set].map(([names, each]) => {
    const who = each.map(({ facts }) => nameOf(facts)).join(', ');
    return ok(names === '' ? `no exporter is set in ${who}` : `exporters by ${names} in ${who}`);
  });
}
