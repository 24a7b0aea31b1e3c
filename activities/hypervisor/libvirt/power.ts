import type { PowerState } from '../../../model/instance.js';

/** `running (booted)` → state and reason. */
export function splitState(text: string): { state: string; reason: string } {
  const open = text.indexOf(' (');
  return open < 0 || !text.endsWith(')')
    ? { state: text, reason: '' }
    : { state: text.slice(0, open), reason: text.slice(open + 2, -1) };
}

/** The halves of a guest whose memory follows it, by the reason of either side's state. */
export function postCopyOf(reason: string): 'running' | 'failed' | null {
  if (reason === 'post-copy') return 'running';
  return reason === 'post-copy failed' ? 'failed' : null;
}

/**
 * The power state of `virsh domstate --reason`. A guest that is coming in shows as paused: (starting up) while
 * its qemu is made ready, then (migrating); the source shows (migrating) only while the guest is switched
 * over. In post-copy it runs on the target but is whole on neither side: that isn't `running` for anybody
 * who asks where the guest is.
 */
export function powerOf(text: string): PowerState {
  const { state, reason } = splitState(text);
  switch (state) {
    case 'running':
      return postCopyOf(reason) === null ? 'running' : 'migrating';
    case 'idle':
    case 'in shutdown':
      return 'running';
    case 'paused':
      return ['migrating', 'starting up'].includes(reason) || postCopyOf(reason) !== null
        ? 'migrating'
        : 'paused';
    case 'pmsuspended':
      return 'paused';
    case 'shut off':
      return reason === 'crashed' ? 'crashed' : 'shutoff';
    case 'crashed':
      return 'crashed';
    default:
      return 'unknown';
  }
}
