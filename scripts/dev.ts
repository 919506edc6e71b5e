// kerf dev: runs the system from src/, and serves each change as soon as it is built.
import { type Define, misuse } from './cli/command.ts';
import { readEnvFile } from './setup.mjs';

export const define: Define = (command) =>
  command
    .description(
      `Runs the whole system, and serves each change of src/ as soon as it is built and its types are right. The data stays. A module in
processes of its own is restarted alone when nothing else has changed. After an error the previous code goes on serving.

Settings come from the environment, .env and topology.yaml; docs/settings.md lists them.`,
    )
    .option(
      '--inspect [where]',
      'opens the inspector of Node.js, at a port or host:port; processes of modules take free ports',
    )
    .action(async ({ inspect }: { readonly inspect?: string | true }) => {
      const where = inspect === true ? '9229' : inspect;
      if (where !== undefined && !/^(.+:)?\d{1,5}$/.test(where)) misuse('--inspect takes a port, or host:port');
      readEnvFile();
      const { serveChanges } = await import('./dev/serve.ts');
      await serveChanges(where);
    });
