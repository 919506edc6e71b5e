// npm run proto: writes contracts as .proto files for programs in other languages.
import { app, run } from './programs.ts';
import { build } from './setup.mjs';
import { readWords } from './words.ts';

const help = `Usage: npm run proto -- [module …]

Prints the contracts of these modules, or of all, as Protocol Buffers: for programs in other languages that call a module by gRPC
(MODULE_PAYMENTS=grpc), or serve one. Into a file: npm run --silent proto -- payments > payments.proto`;

const { positionals: modules } = readWords('proto', help, {});
build();
process.exit(run(app, `--proto=${modules.join(',')}`));
