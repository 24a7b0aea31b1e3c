/** What a cloud is asked to start, and when it ended: the truth against which records are held. */
import type { VirtualCloud } from '../../../virtual/cloud.js';
import type { Ending } from '../../../virtual/ending.js';
import type { Order } from '../../../workflows/operate.js';

export interface Child {
  key: string;
  /** The run that asked for it, its step and its item. */
  run: string;
  step: string;
  item: string;
  /** Numbers in one order, and ms of virtual time. */
  began: number;
  ended: number;
  from: number;
  to: number;
  ending: Ending;
}

export function watchChildren({ temporal, clock }: VirtualCloud): Child[] {
  const children: Child[] = [];
  let moment = 0;
  const start = temporal.start.bind(temporal);
  temporal.start = (type, workflowId, argument, more) => {
    const run = start(type, workflowId, argument, more);
    const by = (argument as Partial<Order> | null)?.request?.run;
    if (!by) return run;
    moment += 1;
    const child: Child = {
      key: type,
      run: by.id,
      step: by.step,
      item: by.item ?? '',
      began: moment,
      ended: Infinity,
      from: clock.now(),
      to: Infinity,
      ending: { end: 'terminated' },
    };
    children.push(child);
    const note = async () => {
      const ending = await run.ended;
      moment += 1;
      Object.assign(child, { ended: moment, to: clock.now(), ending });
    };
    void note();
    return run;
  };
  return children;
}
