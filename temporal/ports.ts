import { createServer } from 'node:net';
import { DroverError } from '../model/errors.js';

/** Refuses with the port's number and the option that chooses another. */
export async function assertPortFree(ip: string, port: number, option: string): Promise<void> {
  const code = await tryListen(ip, port);
  if (code === undefined) return;
  if (code === 'EADDRINUSE') {
    throw new DroverError('InvalidInput', `port ${port} on ${ip} is in use`, {
      details: { ip, port },
      hint: `end what listens there, or choose another port with ${option}`,
    });
  }
  const reasons: Record<string, string> = {
    EADDRNOTAVAIL: 'this machine has no such address',
    EACCES: 'not permitted',
  };
  throw new DroverError('InvalidInput', `cannot listen on ${ip} port ${port}: ${reasons[code] ?? code}`, {
    details: { ip, port },
    hint: `choose another with --ip or ${option}`,
  });
}

/** The port that was wished for, or any other when somebody listens there. */
export async function portNear(ip: string, wished: number): Promise<number> {
  return (await tryListen(ip, wished)) === undefined ? wished : anyPort(ip);
}

function anyPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0 }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** The error code when nobody can listen there now. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}
