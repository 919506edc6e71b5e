import type { Define } from './cli/command.ts';
export const define: Define = (command) => {
  command.description('x');
};
