export { type Host, openHost } from './host.ts';
export { addressOf, listen, shut } from './listen.ts';
export {
  announce,
  printModules,
  printProto,
  readCommandLine,
  rotateKeys,
  runAlone,
  runUntilStopped,
} from './process.ts';
