/** What is wrong in a file that someone wrote, and where. */
export interface FileIssue {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** The place in words: `steps[1].uses`; empty for the file as a whole. */
  path: string;
  message: string;
  hint?: string;
}

export type Path = readonly PropertyKey[];

/** Each issue as `file:line:column: path: message — hint`: editors and CI find the place from that. */
export function formatIssues(issues: readonly FileIssue[]): string {
  return issues
    .map(({ file, line, column, path, message, hint }) => {
      const what = path === '' ? message : `${path}: ${message}`;
      return `${file}:${line}:${column}: ${what}${hint === undefined ? '' : ` — ${hint}`}`;
    })
    .join('\n');
}

/** By place, each once: two checks may find the same. */
export function sortIssues(issues: readonly FileIssue[]): FileIssue[] {
  const seen = new Set<string>();
  return issues
    .toSorted((one, other) => one.line - other.line || one.column - other.column)
    .filter((issue) => {
      const text = formatIssues([issue]);
      return seen.has(text) ? false : seen.add(text);
    });
}

/** `['steps', 1, 'uses']` → `steps[1].uses`; keys that are no identifiers in quotes. */
export function pathText(path: Path): string {
  return path
    .map((part, place) => {
      if (typeof part === 'number') return `[${part}]`;
      const key = String(part);
      if (!/^[A-Za-z_][\w-]*$/.test(key)) return `[${JSON.stringify(key.slice(0, 60))}]`;
      return place === 0 ? key : `.${key}`;
    })
    .join('');
}
