// Answers the harness: `usage`, `collect` (the same after a collection) and `send COUNT HZ BYTES`.
import { createInterface } from 'node:readline';

const usage = (connections, word) => {
  if (word === 'collect') globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now() / 1000,
    cpu: (user + system) / 1e6,
    user: user / 1e6,
    rss_kib: process.memoryUsage().rss / 1024,
    connections,
  };
};

export const answer = (connections, send) => {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const [word, count, hz, bytes] = line.split(' ');
    if (word === 'send') {
      const text = 'x'.repeat(Number(bytes));
      for (let index = 0; index < Number(count); index += 1) {
        send(text);
        await new Promise((resolve) => setTimeout(resolve, 1000 / Number(hz)));
      }
    }
    console.log(JSON.stringify(usage(connections(), word)));
  });
  lines.on('close', () => process.exit(0));
};
