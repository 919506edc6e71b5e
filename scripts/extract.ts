// kerf extract: takes a module out of the home process while the system serves.
import { isVia, maxInstances, moduleAnswer, type Via, vias } from '../src/shared/control/admin-contract/index.ts';
import { type Define, misuse } from './cli/command.ts';
import { type MoveOptions, moveModule, pathOf } from './move/move.ts';
import { type TryOutOptions, tryOut, withTryOut } from './move/try-out.ts';
import { ask, reaches } from './operator.ts';

export const define: Define = (command) => {
  command
    .description(`Takes a module out of the running home process into processes of its own, while it serves. For a module that is out, it
changes the transport or the number of processes. No request fails. No event is lost or takes effect twice. When a step fails, or on
Ctrl-C, Kerf undoes the move.

An option that you leave out keeps its value, or its value from the module's last extraction since the start.

npx kerf absorb takes it back, and npx kerf replace runs another release of it.`)
    .argument('<module>', 'the module, such as payments')
    .addOption(
      command
        .createOption(
          '--via <transport>',
          'the transport of its calls: http (default), grpc, or queue, which is the broker of BUS',
        )
        .choices(vias),
    )
    .option('--instances <number>', 'the number of its processes (1)')
    .option('--port <port>', 'the port of its only process; free (default) takes any free port');
  withTryOut(command)
    .option('--for-now', 'keeps the change until the next start only, and does not change topology.yaml')
    .json('prints a line of JSON for each step, and the report at the end')
    .note(reaches)
    .action(extract);
};

interface ExtractOptions extends MoveOptions, TryOutOptions {
  readonly via?: Via;
  readonly instances?: string;
  readonly port?: string;
}

async function extract(module: string, options: ExtractOptions): Promise<void> {
  const { via, instances, port } = options;
  const order = {
    instances: whole(instances, `instances is a whole number, 1 to ${maxInstances}`),
    port: port === 'free' ? null : whole(port, 'port is a number, 1 to 65535, or free'),
    forNow: options.forNow === true,
    ...tryOut(options),
  };
  const saysWhere = via !== undefined || instances !== undefined || port !== undefined;
  await moveModule(module, { via: saysWhere ? via : await viaNow(module), ...order }, options);
}

/** Returns the transport of an order without options: the current one, or the one of the last extraction. */
async function viaNow(module: string): Promise<Via> {
  const { outside } = await ask(moduleAnswer, 'GET', pathOf(module));
  const via = outside?.split('?')[0];
  return isVia(via) ? via : vias[0];
}

/** Reads an option with a whole number. The running system checks the range. */
function whole(text: string | undefined, words: string): number | undefined {
  if (text !== undefined && !/^\d{1,6}$/.test(text)) misuse(`--${words}, not "${text}"`);
  return text === undefined ? undefined : Number(text);
}
