import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Contract } from '../../kernel/contract/index.ts';
import { StartError } from '../../kernel/errors/index.ts';
import { type ModuleDefinition, migrationsOf } from '../../kernel/module/index.ts';
import type { Adapter } from '../../kernel/ports/index.ts';
import { Adapters } from '../adapter-list/index.ts';
import { rotate, writeIdentity } from '../identity/index.ts';
import { describeContract } from '../releases/index.ts';
import type { Topology } from '../topology/index.ts';
import { openAuthority } from './enrolment.ts';

const help = `Usage: npm start -- [--only module[,module]] [--accept-loss module[,module]] [--json]

  --only         run these modules alone, as a service for the others
  --accept-loss  start once although these modules lost data, and keep what is left of it
  --json         print what runs where as JSON
  --modules      print the manifests of the modules as JSON, and end

kerf rotate-keys, identity, proto and doctor run this program with options of their own.

Settings come from the environment and topology.yaml; docs/settings.md lists them.`;

/** What a release says of one of its modules. */
export interface ModuleDescription {
  readonly about: ModuleDefinition['about'];
  readonly contract: ReturnType<typeof describeContract>;
  /** The types of the events that it subscribes to. */
  readonly subscribesTo: readonly string[];
  /** The names of its settings. */
  readonly settings: readonly string[];
  /** Absent for a module that runs elsewhere. */
  readonly migrations?: readonly { readonly name: string; readonly phase: string | undefined }[];
}

export interface CommandLine {
  only: string[] | undefined;
  json: boolean;
  /** The modules whose data this start alone accepts as it is. */
  acceptLoss: string[] | undefined;
  /** Make new signing keys instead of running. */
  newKeys: boolean;
  /** With new keys: refuse all signatures of the previous keys at once. */
  revoke: boolean;
  /** Print the identity of a process that runs these modules elsewhere, instead of running. */
  identity: string[] | undefined;
  /** Print the descriptions of the modules instead of running. */
  modules: boolean;
  /** Print what a start would need around it instead of running. */
  prerequisites: boolean;
  /** Print contracts as `.proto` instead of running: of these modules, or of all modules when the list is empty. */
  proto: string[] | undefined;
}

/** Reads the command line. Throws a `StartError` for an unknown argument; `--help` prints the help and exits. */
export function readCommandLine(words: string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        'accept-loss': { type: 'string' },
        'rotate-keys': { type: 'boolean', default: false },
        revoke: { type: 'boolean', default: false },
        identity: { type: 'string' },
        modules: { type: 'boolean', default: false },
        prerequisites: { type: 'boolean', default: false },
        proto: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const names = (list: string | undefined) => list?.split(',').map((name) => name.trim());
    const proto = values.proto === '' ? [] : names(values.proto);
    return {
      only: names(values.only),
      json: values.json,
      acceptLoss: names(values['accept-loss']),
      newKeys: values['rotate-keys'],
      revoke: values.revoke,
      identity: names(values.identity),
      modules: values.modules,
      prerequisites: values.prerequisites,
      proto,
    };
  } catch (error) {
    throw new StartError(`${(error as Error).message.split(/\.\s/)[0]}; see npm start -- --help`);
  }
}

/**
 * Makes new signing keys in the data folder. Running processes load them by themselves. Signatures of the two previous keys stay
 * valid, unless `revoke` is set: then all sessions end at once, and processes request new certificates for their keys. A process with
 * `INTERNAL_IDENTITY` trusts the old keys until its file is replaced.
 */
export async function rotateKeys({ settings }: Topology, revoke = false): Promise<undefined> {
  const files = ['sessions', 'internal'].map((use) => join(settings.DATA_DIR, 'keys', `${use}.json`));
  const kids = revoke ? rotate(files, 0) : rotate(files);
  const before = revoke ? '; what was signed before is refused' : '';
  for (const [index, kid] of kids.entries()) console.log(`${files[index]}: signing with ${kid} from now on${before}`);
  return undefined;
}

/** Prints an identity for a process that runs these modules without the system's secrets. The identity itself is secret. */
export async function printIdentity({ settings, placements }: Topology, names: readonly string[]) {
  const unknown = names.find((name) => !placements.has(name));
  if (unknown !== undefined)
    throw new StartError(`there is no module "${unknown}"; there are ${[...placements.keys()].join(', ')}`);
  process.stdout.write(await writeIdentity(openAuthority(settings), names));
  return undefined;
}

/**
 * Prints one line of JSON that describes each module, and opens no data. An artifact that runs another module alone needs the
 * description, and so does the check of a release before it replaces another.
 */
export async function printModules(modules: readonly ModuleDefinition[]) {
  const described = modules.map(
    (definition): ModuleDescription => ({
      about: definition.about,
      contract: describeContract(definition.contract),
      subscribesTo: (definition.subscriptions ?? []).map(({ event }) => event.type),
      settings: Object.keys(definition.settings?.shape ?? {}),
      ...(!definition.elsewhere && {
        migrations: migrationsOf(definition).map(({ name, phase }) => ({ name, phase })),
      }),
    }),
  );
  console.log(JSON.stringify(described));
  return undefined;
}

/** Prints contracts for programs in other languages that call a module by gRPC, or serve one. */
export async function printProto(
  modules: readonly { contract: Contract }[],
  adapters: readonly Adapter[],
  names: readonly string[],
) {
  const contracts = modules.map(({ contract }) => contract);
  const describe = new Adapters(adapters).find('describe', '--proto');
  const unknown = names.find((name) => contracts.every((contract) => contract.name !== name));
  if (unknown !== undefined)
    throw new StartError(`there is no module "${unknown}"; there are ${contracts.map(({ name }) => name).join(', ')}`);
  const wanted = contracts.filter(({ name }) => names.length === 0 || names.includes(name));
  process.stdout.write((await Promise.all(wanted.map(describe))).join('\n'));
  return undefined;
}
