// @ts-check
// Shows on a terminal that a command works. Elsewhere, such as in a file, it prints nothing.

/**
 * Shows what the command does until the work ends. Returns the result of the work.
 * @template T
 * @param {string} doing
 * @param {() => T} work
 * @param {{ readonly isTTY?: boolean, write(text: string): boolean }} terminal
 * @returns {T}
 */
export function during(doing, work, terminal = process.stderr) {
  if (!terminal.isTTY) return work();
  const begun = Date.now();
  const show = () => {
    const seconds = Math.round((Date.now() - begun) / 1_000);
    terminal.write(`\r\x1b[K… ${doing}${seconds > 0 ? ` (${seconds} s)` : ''}`);
  };
  show();
  // Only work that waits lets this timer fire.
  const timer = setInterval(show, 1_000).unref();
  const end = () => {
    clearInterval(timer);
    terminal.write('\r\x1b[K');
  };
  return afterwards(work, end);
}

/**
 * @template T
 * @param {() => T} work
 * @param {() => void} end
 * @returns {T}
 */
function afterwards(work, end) {
  /** @type {T} */
  let result;
  try {
    result = work();
  } catch (error) {
    end();
    throw error;
  }
  if (!(result instanceof Promise)) end();
  else void result.finally(end).catch(() => {});
  return result;
}
