// Node with `ws`: one frame to everybody.
import { WebSocketServer } from 'ws';
import { answer } from './lines.mjs';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 2048, perMessageDeflate: false });
server.on('listening', () => console.log(server.address().port, '-'));
answer(
  () => server.clients.size,
  (text) => {
    for (const client of server.clients) client.send(text, { binary: false });
  },
);
