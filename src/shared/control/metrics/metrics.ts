import { systemClock } from '../../kernel/context/index.ts';
import { FailureLog, type Log } from '../../kernel/telemetry/index.ts';
import type { ControlPart, MetricFamily, MetricSource, PartDependencies } from '../parts/index.ts';
import { CallMetrics } from './calls.ts';
import { type Form, NodeMetrics, write } from './exposition.ts';
import { Happenings } from './happenings.ts';
import { KnownNames } from './known-names.ts';
import { readModuleProcesses } from './module-processes.ts';
import { ModuleReader } from './modules.ts';
import { BuildInfo, readDisk, readRelocations } from './process.ts';
import { serveMetrics } from './serve.ts';
import { readUpstreams } from './upstreams.ts';

/** Shows the numbers of each process to Prometheus, at `GET /metrics` of its internal listener. */
export function metrics(): ControlPart {
  return {
    name: 'metrics',
    open({ topology, definitions, log }) {
      const { brokers } = topology.adapters;
      const recipients = brokers.flatMap(({ events }) => events?.recipient ?? []);
      const names = new KnownNames(definitions, recipients);
      const calls = new CallMetrics(names);
      const happenings = new Happenings(names);
      return {
        counter: calls,
        listener: happenings,
        requestEnded: (request) => happenings.requestEnded(request),
        metrics: () => [...calls.families(), ...happenings.families()],
        serveOpenly(app, around) {
          const sources = [...around.metrics, ...sourcesOf(around, names, log)];
          serveMetrics(app, around, scraper(sources, new NodeMetrics(), log));
        },
      };
    },
  };
}

/** Lists the sources that read the state of this process. */
function sourcesOf(around: PartDependencies, names: KnownNames, log: Log): MetricSource[] {
  const { definitions, directory, moduleProcesses, open, relocations, topology } = around;
  const contracts = definitions.map(({ contract }) => contract);
  const modules = contracts.map(({ name }) => name);
  const build = new BuildInfo(contracts);
  const failures = new FailureLog(log, systemClock);
  return [
    () => readUpstreams(modules, directory, names),
    async () => {
      const reader = new ModuleReader(names, systemClock.now());
      const reading = [...open.values()].map((module) =>
        reader
          .read(module)
          .catch((error: unknown) => failures.add({ ...cannotRead, error, fields: { module: module.name } })),
      );
      await Promise.all(reading);
      return reader.families();
    },
    () => readDisk(topology.settings.DATA_DIR),
    () => (topology.only ? [] : [...readRelocations(relocations), ...readModuleProcesses(moduleProcesses)]),
    () => build.families(),
  ];
}

const cannotRead = { message: 'metrics could not be read; the scrape lacks them', level: 'warn' } as const;

/** Returns a function that answers a scrape. Scrapes at the same time share one reading. A source that fails is left out. */
function scraper(sources: readonly MetricSource[], node: NodeMetrics, log: Log): (form: Form) => Promise<string> {
  const failures = new FailureLog(log, systemClock);
  const readOne = async (source: MetricSource): Promise<readonly MetricFamily[]> => {
    try {
      return await source();
    } catch (error) {
      failures.add({ ...cannotRead, error });
      return [];
    }
  };
  const readAll = async () => [await Promise.all(sources.map(readOne)), await node.families()].flat(2);
  let reading: ReturnType<typeof readAll> | undefined;
  return async (form) => {
    reading ??= readAll().finally(() => {
      reading = undefined;
    });
    return write(await reading, form);
  };
}
