import { connect, createServer, type Server, type Socket } from 'node:net';
import { DroverError } from '../model/errors.js';

export interface Forward {
  close(): Promise<void>;
}

/**
 * Passes connections to `ip:port` on to the same port of the loopback address. The development server can listen
 * on loopback or on every address, but not on one other address: its parts tell each other 127.0.0.1 and then
 * are not there.
 */
export async function forward(ip: string, port: number): Promise<Forward> {
  const open = new Set<Socket>();
  // Without noDelay each small message waits 40 ms for an acknowledgement: 90 ms a workflow step.
  const server = createServer({ noDelay: true }, (incoming) => {
    const outgoing = connect({ host: '127.0.0.1', port, noDelay: true });
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(socket);
      // Whichever side ends first, the client sees a closed connection and tries again by itself.
      socket.on('error', () => other.destroy());
      socket.once('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await listening(server, ip, port);
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

function listening(server: Server, ip: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (cause) => {
      fail(
        new DroverError('InvalidInput', `cannot listen on ${ip}:${port}: ${cause.message}`, {
          hint: 'give --ip an address of this machine',
          cause,
        }),
      );
    });
    server.listen(port, ip, () => done());
  });
}

/** The address that the server itself is to listen on, and whether others need `forward` to reach it. */
export function listenAddress(ip: string): { server: string; forwarded: boolean } {
  const own = ip === '0.0.0.0' || ip === '::' || ip === 'localhost' || ip.startsWith('127.') || ip === '::1';
  return own ? { server: ip, forwarded: false } : { server: '127.0.0.1', forwarded: true };
}
