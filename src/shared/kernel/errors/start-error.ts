/** Tells the person who started this process why it cannot start. One line names the problem, its place and the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
