export { type Host, openHost } from './host.ts';
export { addressOf, listen, shut } from './listen.ts';
export { announce, printProto, readCommandLine, rotateKeys, runUntilStopped } from './process.ts';
