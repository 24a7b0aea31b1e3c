import { pino, type Logger as Pino } from 'pino';
import type { LogLevel, Logger } from '@temporalio/worker';

const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** The log of a worker: JSON lines on stderr, one logger for drover and for Temporal's own messages. */
export function createLog(name: string): Pino & { temporal: Logger } {
  const log = pino({ name, level: process.env['DROVER_LOG'] ?? 'info' }, pino.destination(2));
  const temporal: Logger = {
    log: (level, message, meta) => log[levels[level]](meta ?? {}, message),
    trace: (message, meta) => log.trace(meta ?? {}, message),
    debug: (message, meta) => log.debug(meta ?? {}, message),
    info: (message, meta) => log.info(meta ?? {}, message),
    warn: (message, meta) => log.warn(meta ?? {}, message),
    error: (message, meta) => log.error(meta ?? {}, message),
  };
  return Object.assign(log, { temporal });
}
