/** A port to be told of before it is listened on: not one of those that the system gives to connections meanwhile. */
export function freePort(): Promise<number>;
