const width = 30;
const names = { orders: 'orders', posts: 'board', signUps: 'sign-ups' };

/** What people met in a phase: a bar for each kind of request. */
export function showPhase({ name, about, ...seen }) {
  console.log(`\n${name.toUpperCase()}  ${about}`);
  for (const [what, counts] of Object.entries(seen)) {
    const { ok, waiting, failed, p50Ms, longestMs } = counts;
    const told = [`${ok} done`, waiting && `${waiting} told to wait`, failed && `${failed} FAILED`].filter(Boolean);
    console.log(
      `  ${names[what].padEnd(9)} ${bar(counts)}  ${told.join(', ')}  (p50 ${p50Ms} ms, longest ${longestMs} ms)`,
    );
  }
}

export function showLayout(name, placements) {
  const out = Object.entries(placements).map(([setting, placement]) => `${setting}=${placement}`);
  console.log(`\n=== ${name}: ${out.length > 0 ? out.join(', ') : 'everything in one process'} ===`);
}

export function showVerdict({ lives, confirmedLater, broken }) {
  console.log();
  if (!lives) console.log('the home process died, and every module in it');
  if (confirmedLater !== undefined) console.log(`${confirmedLater} orders that were told to wait were confirmed later`);
  for (const what of broken) console.log(`  ✗ expected, and not seen: ${what}`);
  if (broken.length === 0)
    console.log(confirmedLater === undefined ? 'the system behaved as expected' : 'nothing failed, nothing was lost');
}

/** █ done, ░ told to wait, ✗ failed. */
function bar({ ok, waiting, failed }) {
  const all = Math.max(1, ok + waiting + failed);
  const cells = (count) => (count === 0 ? 0 : Math.max(1, Math.round((count / all) * width)));
  const [waits, fails] = [cells(waiting), cells(failed)];
  return `${'█'.repeat(Math.max(0, width - waits - fails))}${'░'.repeat(waits)}${'✗'.repeat(fails)}`;
}
