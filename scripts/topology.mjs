// npm run topology: asks the running system what runs where.
import { ask, misused, printColumns, reaches, readWords, tell } from './operator.mjs';

const { values, positionals } = readWords('topology', `Usage: npm run topology [-- --json]\n\n${reaches}`);
if (positionals.length > 0) misused('topology', `unknown word "${positionals[0]}"`);

tell(values, await ask('GET', '/ops/topology'), ({ bus, modules }) => {
  console.log(`events: ${bus}`);
  printColumns(
    modules.map(({ name, placement, state, why, instances }) => {
      // Of one that somebody else runs, the placement is its address, or all of them.
      const isSaid = placement === instances.map(({ address }) => address).join();
      const at = [...(isSaid ? [] : [placement]), ...instances.map(where)].join(', ');
      return [name, state, why ? `${at}: ${why}` : at];
    }),
  );
});

function where({ pid, address, calledAt }) {
  const parts = [address ?? 'home process', pid && `(process ${pid})`, calledAt && `called at ${calledAt}`];
  return parts.filter(Boolean).join(' ');
}
