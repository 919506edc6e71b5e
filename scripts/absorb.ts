// kerf absorb: moves a module back into the home process while the system serves.
import type { Define } from './cli/command.ts';
import { type MoveOptions, moveModule } from './move/move.ts';
import { reaches } from './operator.ts';

export const define: Define = (command) =>
  command
    .description(`Takes a module from processes of its own back into the running home process, while it serves. No request fails. No
event is lost or takes effect twice. When a step fails, or on Ctrl-C, Kerf undoes the move.

npx kerf extract takes it out again.`)
    .argument('<module>', 'the module, such as payments')
    .option('--for-now', 'keeps the change until the next start only, and does not change topology.yaml')
    .json('prints a line of JSON for each step, and the report at the end')
    .note(reaches)
    .action(absorb);

async function absorb(module: string, options: MoveOptions): Promise<void> {
  await moveModule(module, { placement: 'in-process', forNow: options.forNow === true }, options);
}
