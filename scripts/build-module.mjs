// npm run build:module: one module as an artifact of its own.
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build, fail, install, root } from './setup.mjs';

const help = `Usage: npm run build:module -- <module> [--out dist/modules/<module>] [--json]
       npm run build:module -- --all
       npm run build:module -- --packages   (the package.json that stands beside the bundle of the whole system)

Bundles the kernel, the module and the contracts it knows, and nothing of another module's inside. Run it as the whole program with
--only: node dist/modules/payments/app.js, with the same topology and settings; or have the running system put it in the place of the
module: npm run replace -- payments --artifact dist/modules/payments. deploy/Dockerfile makes an image of it.`;

const { values, positionals } = words();
if (values.help) {
  console.log(help);
  process.exit(0);
}
install();
build();
const { bundleModule, moduleNames, packagesBeside, strangers } = await import('./build-module/bundle.mjs');
if (values.packages) {
  console.log(JSON.stringify(packagesBeside('kerf'), null, 2));
  process.exit(0);
}
const names = values.all ? moduleNames : positionals;
if (names.length === 0) fail('say which module, such as payments; see npm run build:module -- --help');
if (names.length > 1 && values.out) fail('--out is for one module');
const unknown = names.find((name) => !moduleNames.includes(name));
if (unknown) fail(`there is no module "${unknown}"; there are ${moduleNames.join(', ')}`);

for (const name of names) {
  const folder = values.out ?? join(root, 'dist', 'modules', name);
  const { files, packages } = await bundleModule(name, folder);
  const [stranger] = strangers(name, { files });
  if (stranger)
    fail(`the artifact of ${name} would hold ${stranger}, which is none of its business: see npm run boundaries`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (values.json) {
    console.log(JSON.stringify({ module: name, folder, bytes, files, packages }));
    continue;
  }
  const kib = (number) => `${Math.ceil(number / 1_024)} KiB`;
  const [app] = files.filter((file) => file.name === 'app.js');
  console.log(
    `${name.padEnd(16)} ${relative(process.cwd(), folder)}: ${kib(bytes)}, of which ${kib(app.bytes)} at start; beside it ${Object.keys(packages).join(', ')}`,
  );
}

function words() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        all: { type: 'boolean', default: false },
        packages: { type: 'boolean', default: false },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    return fail(`${error.message.split(/\.\s/)[0]}; see npm run build:module -- --help`);
  }
}
