/** Progress: live where somebody watches a terminal, one line per change everywhere else. */
import { paint } from './paint.js';

export interface Progress {
  /** Something changed: stays on the screen. */
  line(text: string): void;
  /** What is under way now: replaced by the next call. Shown on a terminal only. */
  live(lines: readonly string[]): void;
  end(): void;
}

export function openProgress(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY && process.env['TERM'] !== 'dumb' ? terminal(stream) : plain(stream);
}

function plain(stream: NodeJS.WriteStream): Progress {
  return {
    line: (text) => void stream.write(`${text}\n`),
    live: () => undefined,
    end: () => undefined,
  };
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

function terminal(stream: NodeJS.WriteStream): Progress {
  let drawn = 0;
  let shown: readonly string[] = [];
  let frame = 0;
  const erase = (): string => (drawn > 0 ? `\u001B[${drawn}A\u001B[J` : '');
  const draw = (before = ''): void => {
    const sign = paint.cyan(frames[frame % frames.length] ?? '');
    const width = Math.max(20, (stream.columns || 80) - 4);
    // More than the screen holds could not be erased again.
    const fitting = shown.slice(0, Math.max(1, (stream.rows || 24) - 2));
    const lines = fitting.map(
      (text) => `${sign} ${text.length > width ? `${text.slice(0, width - 1)}…` : text}\n`,
    );
    stream.write(`${erase()}${before}${lines.join('')}`);
    drawn = lines.length;
  };
  const timer = setInterval(() => {
    frame += 1;
    if (shown.length > 0) draw();
  }, 100);
  timer.unref();
  return {
    line: (text) => draw(`${text}\n`),
    live(lines) {
      shown = lines;
      draw();
    },
    end() {
      clearInterval(timer);
      shown = [];
      draw();
    },
  };
}

export const percentBar = (percent: number): string => {
  const full = Math.round(percent / 5);
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)} ${String(percent).padStart(3)} %`;
};
