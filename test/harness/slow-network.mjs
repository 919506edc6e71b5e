import { Socket } from 'node:net';

/** Latency of TCP writes, in milliseconds. */
const oneWayMs = 100;

// For `node --import`: delays all TCP writes of this process, in order, like a network with that latency.
const { _write, _writev, _final } = Socket.prototype;
const isRemote = (socket) => socket.remoteAddress !== undefined;

Socket.prototype._write = function later(chunk, encoding, done) {
  if (!isRemote(this)) return _write.call(this, chunk, encoding, done);
  setTimeout(() => _write.call(this, chunk, encoding, () => {}), oneWayMs);
  done();
};
Socket.prototype._writev = function later(chunks, done) {
  if (!isRemote(this)) return _writev.call(this, chunks, done);
  setTimeout(() => _writev.call(this, chunks, () => {}), oneWayMs);
  done();
};
Socket.prototype._final = function later(done) {
  if (!isRemote(this)) return _final.call(this, done);
  setTimeout(() => _final.call(this, done), oneWayMs);
};
