// npm run absorb: moves a module back into the home process while the system serves.
import { moduleOf, moveModule } from './move/move.ts';
import { reaches } from './operator.ts';
import { asJson, flag, readWords } from './words.ts';

const help = `Usage: npm run absorb -- <module> [--for-now] [--json]

Takes a module from processes of its own back into the running home process, while it serves. No request fails. No event is lost or
takes effect twice. When a step fails, or on Ctrl-C, Kerf undoes the move.

  --for-now  keeps the change until the next start only, and does not change topology.yaml
  --json     prints a line of JSON for each step, and the report at the end

npm run extract takes it out again.

${reaches}`;

const options = { ...asJson, 'for-now': flag } as const;
const { values, positionals } = readWords('absorb', help, options, 1);
const module = moduleOf('absorb', positionals);
await moveModule(module, { placement: 'in-process', forNow: values['for-now'] }, values);
