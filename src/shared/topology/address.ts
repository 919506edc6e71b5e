/**
 * Protocol, host and port of an address such as `http://payments:4105`, in one spelling; `undefined` when it has less or more than
 * these. The port is always written, the one that its protocol has of its own as well.
 */
export function wholeAddress(text: string): string | undefined {
  const [, port] = /^(?:https?|grpcs?):\/\/[^/?#@]+:(\d{1,5})\/?$/.exec(text) ?? [];
  if (!port || Number(port) === 0 || !URL.canParse(text)) return undefined;
  const { protocol, hostname } = new URL(text);
  return `${protocol}//${hostname.toLowerCase()}:${Number(port)}`;
}

/** Whether what is at this address is a broker over which modules can be called: Kafka carries events only. */
export function carriesCalls(address: string): boolean {
  return /^(amqps?|nats|tls):/.test(address);
}
