// `npm run soak`: plays random cases in virtual time; its options: docs/soak.md.
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const server = await createViteServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
});
const { main } = await server.ssrLoadModule('/test/soak/main.ts');
process.exitCode = await main(process.argv.slice(2));
await server.close();
