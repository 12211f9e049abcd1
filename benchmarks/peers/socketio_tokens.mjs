// Node with `socket.io`: who connects with a good token is welcome.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { answer } from './lines.mjs';
import { verify } from './tokens.mjs';

const http = createServer();
const io = new Server(http, { pingInterval: 300_000, pingTimeout: 300_000, perMessageDeflate: false });
io.use((socket, next) => {
  try {
    socket.data.user = verify(socket.handshake.auth.token);
    next();
  } catch (error) {
    next(error);
  }
});
http.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => console.log(http.address().port, '-'));
answer(
  () => io.engine.clientsCount,
  () => {},
);
