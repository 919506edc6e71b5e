// All commands, with the line that `kerf --help` shows. Each is loaded when it is needed.
import type { Define } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly define: Define }>;
}

/** Commands by topic. */
export const topics: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  'Run:': {
    start: { summary: 'starts the system, or one module alone', load: () => import('../start.ts') },
    dev: { summary: 'runs the system, and serves each change', load: () => import('../dev.ts') },
    'log-levels': { summary: 'shows and changes the levels of the logs', load: () => import('../log-levels.ts') },
    faults: { summary: 'makes calls slow, failing, lost or duplicate', load: () => import('../faults.ts') },
    'api-keys': { summary: 'makes, shows and revokes the keys of programs', load: () => import('../api-keys.ts') },
    roles: { summary: 'shows and changes the roles of members', load: () => import('../roles.ts') },
    identity: { summary: 'prints the identity for another machine', load: () => import('../identity.ts') },
    'rotate-keys': { summary: 'makes new signing keys', load: () => import('../rotate-keys.ts') },
  },
  'Move:': {
    extract: { summary: 'takes a module out into processes of its own', load: () => import('../extract.ts') },
    absorb: { summary: 'takes a module back into the home process', load: () => import('../absorb.ts') },
    replace: { summary: 'replaces the release of a module', load: () => import('../replace.ts') },
    advise: { summary: 'measures what an extraction costs and brings', load: () => import('../advise.ts') },
    eject: { summary: 'moves a module into a repository of its own', load: () => import('../eject.ts') },
  },
  'Look:': {
    topology: { summary: 'shows where each module runs', load: () => import('../topology.ts') },
    doctor: { summary: 'checks this machine and the running system', load: () => import('../doctor.ts') },
    'dead-letters': { summary: 'lists, replays and discards dead letters', load: () => import('../dead-letters.ts') },
    sagas: { summary: 'lists, resumes and settles sagas', load: () => import('../sagas.ts') },
    drill: { summary: 'breaks a part of a separate system, for show', load: () => import('../drill.ts') },
  },
  'Build:': {
    new: { summary: 'writes a new module or migration', load: () => import('../new.ts') },
    test: { summary: 'runs the tests', load: () => import('../test.ts') },
    check: { summary: 'checks types, lint, formatting and boundaries', load: () => import('../check.ts') },
    boundaries: { summary: 'compares imports with the architecture', load: () => import('../boundaries.ts') },
    format: { summary: 'formats files', load: () => import('../format.ts') },
    'build-module': { summary: 'builds one module as an artifact', load: () => import('../build-module.ts') },
    'check-releases': { summary: 'tests the previous release on new data', load: () => import('../check-releases.ts') },
    proto: { summary: 'prints contracts as Protocol Buffers', load: () => import('../proto.ts') },
    completion: { summary: 'prints the completion for a shell', load: () => import('../completion.ts') },
  },
  'Work on Kerf itself:': {
    services: { summary: 'runs test servers: brokers, databases', load: () => import('../services.ts') },
    bench: { summary: 'runs the benchmarks', load: () => import('../bench.ts') },
    simulate: { summary: 'runs random histories in a simulated world', load: () => import('../simulate.ts') },
    chaos: { summary: 'runs real processes under random faults', load: () => import('../chaos.ts') },
    schemas: { summary: 'writes the schemas by which editors help', load: () => import('../schemas.ts') },
    dashboards: { summary: 'writes the dashboards for Grafana', load: () => import('../dashboards.ts') },
  },
};
