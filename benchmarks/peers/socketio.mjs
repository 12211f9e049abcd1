// Node with `socket.io`: one event to everybody.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { answer } from './lines.mjs';

const http = createServer();
const io = new Server(http, { pingInterval: 300_000, pingTimeout: 300_000, perMessageDeflate: false });
http.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => console.log(http.address().port, '-'));
answer(
  () => io.engine.clientsCount,
  (text) => io.emit('change', text),
);
