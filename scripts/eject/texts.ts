// The generated files of an ejected module's repository.
import type { ModuleDescription } from '../../src/shared/control/host/index.ts';

export const bundler = `import { defineConfig } from 'rolldown';
import { externals } from './scripts/bundling.ts';

export default defineConfig({
  input: 'src/app.ts',
  platform: 'node',
  external: externals,
  output: { dir: 'dist/.new', format: 'esm', entryFileNames: 'app.js', chunkFileNames: 'chunks/[name]-[hash].js' },
});
`;

export const vitest = `import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 30_000 } });
`;

export const startScript = `// npm start: installs missing dependencies, builds after changes, and runs the program.
import { join } from 'node:path';
import { build, install, root } from './setup.mjs';
import { supervise } from './supervise.mjs';

install();
build();
supervise([join(root, 'dist', 'app.js'), ...process.argv.slice(2)]);
`;

export const testScript = `// npm test: installs missing dependencies, builds after changes, and runs every test.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './setup.mjs';

install();
build();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(node(), [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
process.exit(status ?? 1);
`;

export const packagesScript = `// Prints the package.json that stands beside the bundle: what that does not hold itself, in the versions of the lock.
import { readFileSync } from 'node:fs';
import { externals } from './bundling.ts';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const beside = externals.filter((name) => packages[\`node_modules/\${name}\`]);
const dependencies = Object.fromEntries(beside.map((name) => [name, packages[\`node_modules/\${name}\`].version]));
console.log(JSON.stringify({ private: true, type: 'module', dependencies }, null, 2));
`;

export function contractTest(name: string): string {
  return `import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { contractDescriptionSchema, describeContract, incompatibilities } from 'kerf/control/releases';
import { expect, it, onTestFinished } from 'vitest';
import module from '../src/modules/${name}/module.ts';

it('keeps the contract that the others were built against', () => {
  const recorded = contractDescriptionSchema.parse(JSON.parse(readFileSync('test/contract.json', 'utf8')));
  expect(recorded).toMatchObject({ name: '${name}' });
  expect(incompatibilities(recorded, describeContract(module.contract))).toEqual([]);
});

it('starts alone, answers that it is well, takes no call from a stranger, and stops when it is told to', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), '${name}-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['dist/app.js', '--json'], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, INTERNAL_PORT: '0', GRPC_PORT: '0', LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const line = new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const announced = await Promise.race([line, ended.then((code) => Promise.reject(new Error(\`it ended with \${code}\`)))]);
  const { internal } = JSON.parse(announced) as { internal: string };
  expect((await fetch(\`\${internal}/healthz\`)).status).toBe(200);
  expect((await fetch(\`\${internal}/modules/${name}/anything\`, { method: 'POST', body: '{}' })).status).toBe(401);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
`;
}

export function topology(name: string, address: string): string {
  return `# Where this module is; of the others HOME_ADDRESS says where the home process is, which knows. README.md has more.
modules:
  ${name}: ${address}
`;
}

/** `version` is the version of Node.js. */
export function dockerfile(name: string, version: string): string {
  return `# docker build -f deploy/Dockerfile -t ${name} .
#
# Data is in /data: mount a volume there. Settings come from the environment: INTERNAL_IDENTITY, which npx kerf identity makes where the home process is, and
# HOME_ADDRESS; the others look for it at port 3001.

FROM node:${version}-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY kerf/package.json kerf/package.json
COPY scripts/setup.mjs scripts/progress.mjs scripts/
RUN node -e "import('./scripts/setup.mjs').then(({ install }) => install())"
COPY rolldown.config.mjs topology.yaml ./
COPY scripts scripts
COPY kerf kerf
COPY src src
RUN node -e "import('./scripts/setup.mjs').then(({ build }) => build())" \\
 && mkdir -p /out \\
 && cp -r dist/app.js dist/chunks topology.yaml package-lock.json .npmrc /out/ \\
 && node scripts/packages.mjs > /out/package.json \\
 && cd /out && npm install --omit=dev --ignore-scripts
COPY deploy/health.mjs /out/

FROM node:${version}-slim
ENV NODE_ENV=production DATA_DIR=/data INTERNAL_PORT=3001 INTERNAL_HOST=0.0.0.0 MODULE=${name}
WORKDIR /app
COPY --from=build --chown=root:root /out ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "health.mjs"]
# A small young generation: what is idle holds little, and is started for one module's load.
CMD ["node", "--max-semi-space-size=1", "app.js"]
`;
}

export function readme({ name, about }: ModuleDescription['about'], address: string): string {
  return `    npm start    # sets up, builds and runs ${name}: ${address}
    npm test     # sets up and runs all tests

# ${name}

${about} A module that has left Kerf for good: \`src/modules/${name}/\` is the module, and \`kerf/\` is a package with the kernel, the adapters and the control
ring. The other folders of \`src/modules/\` describe the other modules: their contracts and the modules that they call.

The home process finds it by the placement of ${name} in its \`topology.yaml\`. Set \`INTERNAL_IDENTITY\` to the file that
\`npx kerf identity ${name}\` prints where the home process is, or share its data folder (\`DATA_DIR\`); set \`HOME_ADDRESS\` here when the home process is not at http://127.0.0.1:3001. Its data is \`data/${name}.db\`: bring the
file along from the data folder of the home process, with those beside it that end in \`-wal\` and \`-shm\`, while ${name} runs nowhere.

\`test/contract.json\` is the contract that the others were built against; \`npm test\` refuses a change that would break them.
\`docker build -f deploy/Dockerfile -t ${name} .\` makes an image.
`;
}
