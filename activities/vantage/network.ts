/** Whether the machine at an address lives, whatever runs on it: a connection that it accepts or refuses, or an echo. */
import { connect } from 'node:net';
import { execa } from 'execa';
import type { HostRef } from '../../model/host.js';
import type { Signal } from '../../model/incident.js';

/** TCP asks again after a second: one packet that is lost is no silence. */
const limitMs = 4_000;
const ssh = 22;
/** Of libvirt's ways, by what follows the `+` of its address; without a port in the address. */
const usualPorts: Readonly<Record<string, number>> = { tcp: 16_509, tls: 16_514, ssh };

export async function askNetwork(host: HostRef): Promise<Signal> {
  const found = addressOf(host.uri);
  if (found === null) return told('none', `${host.uri} names no address on the network`);
  const { address, port } = found;
  const answers = await Promise.all([
    ...[...new Set([port, ssh])].map((each) => knock(address, each)),
    echo(address),
  ]);
  const life = answers.find(({ seen }) => seen === 'answers');
  if (life !== undefined) return life;
  if (answers.every(({ seen }) => seen === 'none')) return told('none', answers[0]?.detail ?? '');
  return told('silent', `${address} answers neither TCP nor an echo within ${limitMs / 1000} s`);
}

export function addressOf(uri: string): { address: string; port: number } | null {
  const [, way, authority] = /^[a-z]+\+([a-z0-9]+):\/\/([^/?]+)/.exec(uri) ?? [];
  if (way === undefined || authority === undefined) return null;
  const [, address, port] = /^(?:[^@]*@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(authority) ?? [];
  if (address === undefined) return null;
  const usual = usualPorts[way] ?? ssh;
  return { address: address.replace(/^\[|\]$/g, ''), port: port === undefined ? usual : Number(port) };
}

/** Accepted and refused are both life: only the machine itself, or what stands before it, says so. */
function knock(address: string, port: number): Promise<Signal> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (seen: Signal['seen'], detail: string): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve(told(seen, detail));
    };
    const limit = setTimeout(() => end('silent', `${address}:${port} did not answer`), limitMs);
    socket.once('connect', () => end('answers', `${address}:${port} accepts connections`));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const { code = 'an error' } = error;
      if (code === 'ECONNREFUSED' || code === 'ECONNRESET')
        return end('answers', `${address}:${port} refuses connections`);
      // The address can't even be asked: that says nothing of the machine.
      const unasked = code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EACCES' || code === 'EPERM';
      return end(unasked ? 'none' : 'silent', `${address}:${port}: ${code}`);
    });
  });
}

/** The system's own `ping` needs no rights where the system allows it; elsewhere it is not asked. */
async function echo(address: string): Promise<Signal> {
  const { exitCode } = await execa('ping', ['-n', '-c', '2', '-i', '1', '-W', '2', address], {
    reject: false,
    stdin: 'ignore',
    timeout: limitMs + 1000,
    killSignal: 'SIGKILL',
  });
  if (exitCode === 0) return told('answers', `${address} answers echoes`);
  return exitCode === 1
    ? told('silent', `${address} answers no echo`)
    : told('none', 'this machine sends no echoes');
}

const told = (seen: Signal['seen'], detail: string): Signal => ({ signal: 'network', seen, detail });
