// npm run absorb: moves a module back into the home process while the system serves.
import { moduleOf, moveModule } from './move/move.ts';
import { reaches } from './operator.ts';
import { asJson, flag, readWords } from './words.ts';

const help = `Usage: npm run absorb -- <module> [--for-now] [--json]

Takes a module that runs in processes of its own back into the running home process, while it serves: no request fails, no event
is lost or comes twice. A step that fails, and Ctrl-C, take everything back.

  --for-now  until the next start only; otherwise topology.yaml is changed
  --json     a line of JSON for each step, and the report at the end

npm run extract is the way out.

${reaches}`;

const options = { ...asJson, 'for-now': flag } as const;
const { values, positionals } = readWords('absorb', help, options, 1);
const module = moduleOf('absorb', positionals);
await moveModule(module, { placement: 'in-process', forNow: values['for-now'] }, values);
