// The files of the repository that a module gets when it leaves for good: `{ path: text }`.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { entryOf } from '../build-module/bundle.mjs';
import { root } from '../setup.mjs';

const forTests = /\.(test|cases)\.ts$|(^|\/)(testing|chaos-proxy\.ts|scene\.ts|dns-server\.ts)/;
const kept = ['.npmrc', 'scripts/start.mjs', 'scripts/setup.mjs', 'scripts/externals.mjs'];

export function repositoryOf(name, about) {
  const files = {};
  const copy = (from, to, change = (text) => text) => {
    files[to] = change(readFileSync(join(root, from), 'utf8'));
  };
  for (const file of filesIn('src/shared')) {
    const path = relative('src/shared', file);
    if (!forTests.test(path)) copy(file, join('kernel', path));
  }
  for (const file of filesIn(`src/modules/${name}`)) copy(file, file, byPackage);
  for (const other of new Set([...about.uses, ...about.listensTo]))
    copy(`src/modules/${other}/contract.ts`, `src/modules/${other}/contract.ts`, byPackage);
  for (const other of readdirSync(join(root, 'src/modules')))
    copy(`src/modules/${other}/module.json`, `src/modules/${other}/module.json`);
  for (const file of kept) copy(file, file);
  copy('deploy/Dockerfile', 'deploy/Dockerfile', dockerfile);
  files['src/app.ts'] = appOf(name);
  files['scripts/test.mjs'] = testScript;
  files['test/contract.test.ts'] = contractTest(name);
  files['rolldown.config.mjs'] = bundler;
  files['vitest.config.ts'] = vitest;
  files['.gitignore'] = '/node_modules/\n/dist/\n/data/\n';
  files['topology.yaml'] =
    `# Where the others are: HOME_ADDRESS says where the home process is, which knows.\nmodules:\n  ${name}: http://127.0.0.1:4105\n`;
  files['README.md'] = readme(name, about);
  return { ...files, ...packages(name), 'tsconfig.json': tsconfig() };
}

/** The kernel is a package there: `../../shared/module/index.ts` is `@kerf/kernel/module`. */
export function byPackage(text) {
  return text.replace(/(['"])(?:\.\.\/)+shared\/([a-z-]+)\/index\.ts\1/g, "'@kerf/kernel/$2'");
}

function filesIn(folder) {
  return readdirSync(join(root, folder)).flatMap((entry) => {
    const path = join(folder, entry);
    return statSync(join(root, path)).isDirectory() ? filesIn(path) : [path];
  });
}

/** The entry of an artifact, with the paths of a repository. */
function appOf(name) {
  const text = entryOf(name)
    .replaceAll(`${join(root, 'src')}/`, './')
    .replace(/"\.\/shared\/([a-z-]+)\/index\.ts"/g, "'@kerf/kernel/$1'");
  return `// ${name}, alone: the others are known by what they say of themselves.\n${text}\n`;
}

function packages(name) {
  const own = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version, engines, dependencies, devDependencies, optionalDependencies } = own;
  const kernel = { name: '@kerf/kernel', version, private: true, type: 'module', exports: { './*': './*/index.ts' } };
  const described = {
    ...{ name: `${name}-service`, version, private: true, type: 'module', engines, workspaces: ['kernel'] },
    scripts: { start: 'node scripts/start.mjs', test: 'node scripts/test.mjs' },
    dependencies: { '@kerf/kernel': version, ...dependencies },
    ...{ devDependencies, optionalDependencies },
  };
  const { scripts: _, type: __, private: ___, ...locked } = described;
  const { '': ____, ...others } = lock.packages;
  const all = {
    '': locked,
    kernel: { name: kernel.name, version },
    ...others,
    'node_modules/@kerf/kernel': { resolved: 'kernel', link: true },
  };
  const text = (value) => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'package.json': text(described),
    'kernel/package.json': text(kernel),
    'package-lock.json': text({ ...lock, name: described.name, packages: all }),
  };
}

function tsconfig() {
  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return `${JSON.stringify({ compilerOptions, include: ['src', 'kernel', 'test'] }, null, 2)}\n`;
}

function dockerfile(text) {
  return text
    .slice(text.indexOf('FROM '))
    .replace(/COPY bench.*\n/, 'COPY kernel/package.json kernel/package.json\n')
    .replace('COPY src src\n', 'COPY kernel kernel\nCOPY src src\n')
    .replace(
      / && if \[ -n[\s\S]*? fi \\\n/,
      ' && cp -r dist/app.js dist/chunks /out/ && node -p "JSON.stringify({ type: \'module\', dependencies: require(\'./package.json\').dependencies })" | sed \'s/"@kerf\\/kernel":"[^"]*",//\' > /out/package.json \\\n',
    )
    .replaceAll(/^ARG MODULE=\n/gm, '')
    .replace(' MODULE=$MODULE', ' MODULE=alone')
    .replace("# The whole system has its packages by hand; a module's artifact says which it needs.\n", '');
}

const bundler = `import { defineConfig } from 'rolldown';
import { externals } from './scripts/externals.mjs';

export default defineConfig({
  input: 'src/app.ts',
  platform: 'node',
  external: externals,
  output: { dir: 'dist/.new', format: 'esm', entryFileNames: 'app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
});
`;

const vitest = `import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 30_000 } });
`;

const testScript = `// npm test: sets up what is missing, builds what has changed, runs every test.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './setup.mjs';

install();
build();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(node(), [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
`;

function contractTest(name) {
  return `import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ContractDescription, describeContract, incompatibilities } from '@kerf/kernel/contract';
import { expect, it } from 'vitest';
import module from '../src/modules/${name}/module.ts';

it('keeps the contract that the others were built against', () => {
  const recorded = JSON.parse(readFileSync('test/contract.json', 'utf8')) as ContractDescription;
  expect(incompatibilities(recorded, describeContract(module.contract))).toEqual([]);
});

it('starts alone, answers that it is well, and takes no call from a stranger', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), '${name}-'));
  const child = spawn(process.execPath, ['dist/app.js', '--json'], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, INTERNAL_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const { internal } = JSON.parse(line) as { internal: string };
  expect((await fetch(\`\${internal}/healthz\`)).status).toBe(200);
  expect((await fetch(\`\${internal}/modules/${name}/anything\`, { method: 'POST', body: '{}' })).status).toBe(401);
  child.kill('SIGTERM');
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  rmSync(dataDir, { recursive: true, force: true });
});
`;
}

function readme(name, { about }) {
  return `    npm start    # sets up, builds and runs ${name}: 127.0.0.1:4105
    npm test     # sets up and runs all tests

# ${name}

${about} A module that has left Kerf for good: \`src/modules/${name}/\` is it, \`kernel/\` the kernel as a package, the other folders of
\`src/modules/\` what is known of the others: their contracts, and who may call whom.

The home process finds it by the placement of ${name} in its \`topology.yaml\`. Both must share \`INTERNAL_KEY\`, or a data folder; set
\`HOME_ADDRESS\` here when the home process is not at http://127.0.0.1:3001. Its data is \`data/${name}.db\`: bring the file along from the
data folder of the home process, while ${name} runs in neither.

\`test/contract.json\` is the contract that the others were built against; \`npm test\` refuses a change that would break them.
\`docker build -f deploy/Dockerfile -t ${name} .\` makes an image.
`;
}
