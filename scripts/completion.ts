// kerf completion: prints the script with which a shell completes commands, options and names of modules.
import type { Define } from './cli/command.ts';
import { shells } from './cli/shells.ts';

export const define: Define = (command) =>
  command
    .description(`Prints the script with which a shell completes the commands, options, values and names of modules of "kerf" and "npx kerf". It
asks the kerf of the project in which you are, and so fits every project and release.`)
    .addArgument(command.createArgument('<shell>', 'the shell').choices(Object.keys(shells)))
    .note(`To install it:
  bash   npx kerf completion bash > ~/.kerf-completion.bash, and in ~/.bashrc: source ~/.kerf-completion.bash
  zsh    npx kerf completion zsh > ~/.kerf-completion.zsh, and in ~/.zshrc after compinit: source ~/.kerf-completion.zsh
  fish   npx kerf completion fish > ~/.config/fish/conf.d/kerf.fish`)
    .action((shell: keyof typeof shells) => console.log(shells[shell]));
