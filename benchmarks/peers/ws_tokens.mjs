// Node with `ws`: who sends a good token is welcome.
import { WebSocketServer } from 'ws';
import { answer } from './lines.mjs';
import { verify } from './tokens.mjs';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 2048, perMessageDeflate: false });
server.on('listening', () => console.log(server.address().port, '-'));
server.on('connection', (client) => {
  client.on('message', (data) => {
    try {
      client.user = verify(JSON.parse(data).token);
      client.send(JSON.stringify({ type: 'welcome', user: client.user }));
    } catch {
      client.close(4401);
    }
  });
});
answer(
  () => server.clients.size,
  () => {},
);
