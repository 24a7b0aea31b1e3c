import type { PowerState } from '../../../model/instance.js';

/** `running (booted)` → state and reason. */
export function splitState(text: string): { state: string; reason: string } {
  const open = text.indexOf(' (');
  return open < 0 || !text.endsWith(')')
    ? { state: text, reason: '' }
    : { state: text.slice(0, open), reason: text.slice(open + 2, -1) };
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
      return reason === 'post-copy' ? 'migrating' : 'running';
    case 'idle':
    case 'in shutdown':
      return 'running';
    case 'paused':
      return ['migrating', 'starting up', 'post-copy'].includes(reason) ? 'migrating' : 'paused';
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
