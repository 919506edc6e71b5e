/** Why this process cannot start, for the person who started it: one line that says what, where and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
