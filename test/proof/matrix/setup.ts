/** Around the whole project: where the suites keep their cells, and the matrix of them at the end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operations } from '../../../workflows/catalogue.js';
import { runCaseNames } from '../runs/names.js';
import { keptCells } from './cells.js';
import { matrixOf } from './matrix.js';

export default function setup(): () => void {
  const given = process.env['DROVER_PROOF_DIR'];
  const folder = given ?? mkdtempSync(join(tmpdir(), 'drover-proof-'));
  process.env['DROVER_PROOF_DIR'] = folder;
  return () => {
    const rows = [...[...operations.keys()].toSorted(), ...runCaseNames.map((name) => `run: ${name}`)];
    const { text, holes } = matrixOf(rows, keptCells());
    const page = process.env['DROVER_PROOF_PAGE'];
    if (page) writeFileSync(page, onPage(readFileSync(page, 'utf8'), text));
    // scripts/test.mjs prints them at its own end, and fails over holes.
    if (given) {
      writeFileSync(join(folder, 'matrix.txt'), `${text}\n`);
      writeFileSync(join(folder, 'holes.json'), JSON.stringify(holes));
    } else {
      console.log(`${text}\n${holes.length} cells are empty or not complete`);
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

const onPage = (page: string, matrix: string): string =>
  page.replace(
    /(<!-- matrix -->)[^]*(<!-- \/matrix -->)/,
    (_all, begin: string, end: string) => `${begin}\n\n\`\`\`\n${matrix}\n\`\`\`\n\n${end}`,
  );
