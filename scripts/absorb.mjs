// npm run absorb: takes a module back into the home process while the system serves.
import { moveModule } from './move/move.mjs';
import { misused, reaches, readWords } from './operator.mjs';

const help = `Usage: npm run absorb -- <module> [--for-now] [--json]

Takes a module that runs in processes of its own back into the running home process, while it serves: no request fails, no event
is lost or comes twice. A step that fails, and Ctrl-C, take everything back.

  --for-now  until the next start only; otherwise topology.yaml is changed
  --json     a line of JSON for each step, and the report at the end

npm run extract is the way out.

${reaches}`;

const { values, positionals } = readWords('absorb', help, { 'for-now': { type: 'boolean', default: false } });
const [module, ...more] = positionals;
if (!module) misused('absorb', 'say which module, such as payments');
if (more.length > 0) misused('absorb', `unknown word "${more[0]}"`);

await moveModule(module, { placement: 'in-process', forNow: values['for-now'] }, values);
