// kerf proto: writes contracts as .proto files for programs in other languages.
import type { Define } from './cli/command.ts';
import { app, run } from './programs.ts';
import { build } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(`Prints the contracts of these modules, or of all, as Protocol Buffers: for programs in other languages that call a module by
gRPC (MODULE_PAYMENTS=grpc), or serve one. The command npx kerf proto payments > payments.proto writes a file.`)
    .argument('[module...]', 'the modules, such as payments')
    .action((modules: readonly string[]) => {
      build();
      process.exit(run(app, `--proto=${modules.join(',')}`));
    });
