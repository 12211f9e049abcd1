// A stock EventSource in Node: `node events.mjs URL` says in a line of JSON what it hears, until it is closed for good.
import { EventSource } from 'eventsource';

const say = (what) => console.log(JSON.stringify(what));
const source = new EventSource(process.argv[2]);
source.onopen = () => say({ open: true });
source.onmessage = (event) => say({ id: event.lastEventId, message: JSON.parse(event.data) });
source.onerror = (event) => {
  say({ error: event.code ?? null, closed: source.readyState === EventSource.CLOSED });
  if (source.readyState === EventSource.CLOSED) process.exit(0);
};
