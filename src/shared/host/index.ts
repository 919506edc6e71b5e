export { announce } from './announce.ts';
export { printIdentity, printModules, printProto, readCommandLine, rotateKeys } from './command-line.ts';
export { type Host, openHost } from './host.ts';
export { addressOf, listen } from './listen.ts';
export { runAlone, runUntilStopped } from './run.ts';
export { Shutdown } from './shutdown.ts';
