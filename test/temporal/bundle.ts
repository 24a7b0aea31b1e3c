import { fileURLToPath } from 'node:url';
import {
  Runtime,
  bundleWorkflowCode,
  makeTelemetryFilterString,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

const quiet = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => console.error(message),
};

/** The workflows bundled from their TypeScript, so that a test needs no build and sees what is written now. */
export function bundleWorkflows(interceptors: string[] = []): Promise<WorkflowBundleWithSourceMap> {
  const source = (name: string): string =>
    fileURLToPath(new URL(`../../workflows/${name}.ts`, import.meta.url));
  return bundleWorkflowCode({
    workflowInterceptorModules: interceptors,
    workflowsPath: source('entry'),
    preloadModules: [source('preload')],
    logger: quiet,
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } },
    }),
  });
}

let installed = false;

/** Once a process: the runtime of the SDK says nothing but errors. */
export function quietRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: quiet,
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
}
