// One stock client of Socket.IO (or Engine.IO), driven by lines of JSON: what it is told to do comes in, what befalls it goes out.
//
//   node client.mjs PACKAGE URL OPTIONS
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const [, , name, url, given] = process.argv;
const options = JSON.parse(given);
const tell = (what, fields = {}) => console.log(JSON.stringify({ what, ...fields }));
const lines = createInterface({ input: process.stdin });
// Bytes as JSON can say them.
const plain = (value) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value)
    ? { bytes: Buffer.from(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength).toString('hex') }
    : Array.isArray(value)
      ? value.map(plain)
      : value && typeof value === 'object'
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
        : value;
const rich = (value) =>
  Array.isArray(value)
    ? value.map(rich)
    : value && typeof value === 'object'
      ? 'bytes' in value
        ? Buffer.from(value.bytes, 'hex')
        : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rich(item)]))
      : value;

if (name === 'engine.io-client') {
  const { Socket } = require(name);
  const open = () => {
    const socket = new Socket(url, options);
    socket.binaryType = 'arraybuffer';
    socket.on('open', () => tell('open', { transport: socket.transport.name }));
    socket.on('upgrade', (transport) => tell('upgrade', { transport: transport.name }));
    socket.on('message', (data) => tell('message', { data: plain(data) }));
    socket.on('close', (reason) => tell('close', { reason }));
    socket.on('error', (error) => tell('error', { message: error.message }));
    return socket;
  };
  let socket = open();
  lines.on('line', (line) => {
    const command = JSON.parse(line);
    if (command.do === 'send') socket.send(rich(command.data));
    if (command.do === 'close') socket.close();
    if (command.do === 'again') socket = open();
  });
} else {
  const { io } = require(name);
  if (options.msgpack) options.parser = require('socket.io-msgpack-parser');
  // One after the other, as a page asks its own server for each connection.
  if (options.tokens) options.auth = (give) => give({ token: options.tokens.length > 1 ? options.tokens.shift() : options.tokens[0] });
  const socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, forceNew: true, ...options });
  socket.on('connect', () => {
    const { engine } = socket.io;
    tell('connect', { recovered: socket.recovered ?? null, transport: engine.transport.name, sid: socket.id });
    engine.on('upgrade', (transport) => tell('upgrade', { transport: transport.name }));
  });
  socket.on('connect_error', (error) => tell('connect_error', { message: error.message, data: error.data ?? null }));
  socket.on('disconnect', (reason) => tell('disconnect', { reason }));
  socket.onAny((event, ...args) => tell('event', { event, args: plain(args) }));
  lines.on('line', (line) => {
    const command = JSON.parse(line);
    if (command.do === 'emit') {
      const args = rich(command.args);
      if (command.ack) args.push((...answer) => tell('ack', { args: plain(answer) }));
      (command.volatile ? socket.volatile : socket).emit(command.event, ...args);
    }
    if (command.do === 'disconnect') socket.disconnect();
    if (command.do === 'connect') socket.connect();
    // As if the network went away: nothing is said to the server.
    if (command.do === 'drop') socket.io.engine.close();
    if (command.do === 'extensions') tell('extensions', { extensions: socket.io.engine.transport.ws?.extensions ?? null });
  });
}
lines.on('close', () => process.exit());
